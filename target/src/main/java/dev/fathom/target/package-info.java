/** What is looked at: dumps and snapshots, their memory and CPU state. */
package dev.fathom.target;
