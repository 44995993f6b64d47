/**
 * OSv's trace files, in both formats: what the debugger extension saves ({@code
 * scripts/osv/trace.py}, version 3) and what the REST server gives ({@code core/trace.cc}, the
 * chunks {@code OSVT}). Owns their layout, byte orders and a writer of the first; bytes come in
 * through {@link dev.fathom.base.ByteSource}, events are read one after the other where they stand.
 * Uses {@code base} only.
 */
package dev.fathom.format.osvt;
