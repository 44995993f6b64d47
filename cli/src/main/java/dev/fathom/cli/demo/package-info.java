/**
 * {@code fathom demo}: a guided look at a real crash.
 *
 * <p>Owns the story: which guest, which commands, and the words between them. A cache of packages
 * and a sink enter; the guest and its dump are made in a temporary folder that goes away with the
 * demo. Uses the guest lab of {@code testkit} and the same session and commands as {@code fathom
 * open}.
 */
package dev.fathom.cli.demo;
