/**
 * What is looked at: dumps, snapshots and live machines, their memory and CPU state, and what can
 * be done to them.
 */
package dev.fathom.target;
