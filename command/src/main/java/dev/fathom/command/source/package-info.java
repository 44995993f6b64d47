// SPDX-License-Identifier: Apache-2.0
/**
 * gdb's commands about frames and source lines. What debug information knows enters as {@code
 * model.source}; may use {@code command} and what that may use.
 */
package dev.fathom.command.source;
