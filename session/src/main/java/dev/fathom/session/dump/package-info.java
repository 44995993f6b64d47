/**
 * Writes dumps: of a dump (converted, filtered) or of a live machine. Owns the job: which pages, in
 * which order, compressed by whom, into which file, and how a job that was cut short goes on.
 * Enters: a target and, where one was found, its kernel. May use {@code base}, {@code format},
 * {@code model}, {@code target} and {@code kernel}.
 */
package dev.fathom.session.dump;
