/** Opens a target, picks the kernel model and assembles the program. */
package dev.fathom.session;
