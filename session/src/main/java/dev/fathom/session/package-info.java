/**
 * Opens a dump or attaches to a live target and picks the kernel model. A live one is looked at
 * anew for each command line, and let go however the session ends. Enters: files or an address; may
 * use {@code kernel} and what that uses.
 */
package dev.fathom.session;
