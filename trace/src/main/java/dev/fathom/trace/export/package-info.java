/**
 * What other programs show: folded stacks, a flame graph as one page, speedscope's and Chrome's
 * (Perfetto's) JSON. Weighted stacks or timed events enter, whoever counted them; text comes out.
 * Owns these formats; uses {@code trace.frame} and {@code trace.analysis} only to make stacks of
 * events.
 */
package dev.fathom.trace.export;
