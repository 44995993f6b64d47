/**
 * What {@code trace.analysis} found, as data for a {@link dev.fathom.base.Sink}: lines in the
 * layout of OSv's {@code trace.py} where text is asked for, tables and values where data is. Uses
 * {@code trace.analysis}, {@code trace.frame} and {@code trace.text}.
 */
package dev.fathom.trace.report;
