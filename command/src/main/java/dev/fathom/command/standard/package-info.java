/**
 * All commands put together: the one place that knows every group. Enters: a session. May use all
 * of {@code command}.
 */
package dev.fathom.command.standard;
