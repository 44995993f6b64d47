/**
 * The intermediate form between the D compiler and whatever runs at probes: typed trees over 64-bit
 * numbers, byte strings, byte blobs and stacks. {@link dev.fathom.dtrace.ir.IrProgram} is a whole
 * program; {@link dev.fathom.dtrace.ir.Expr} and {@link dev.fathom.dtrace.ir.Stmt} run at the
 * probe; an {@link dev.fathom.dtrace.ir.Action} says what the consumer does with the values that an
 * {@link dev.fathom.dtrace.ir.Stmt.Emit} sent. Nothing here refers to a live target, so that an
 * engine may interpret it, or translate it to eBPF, bytecode or machine code; only {@link
 * dev.fathom.dtrace.ir.Shape#type()}, which the consumer alone reads, carries a C type. {@link
 * dev.fathom.dtrace.ir.Verifier} checks a program before an engine gets it, {@link
 * dev.fathom.dtrace.ir.Dump} writes one for people.
 *
 * <p>A D string is a sequence of bytes without NUL. Wherever one is a Java {@code String}, each
 * {@code char} is one byte, 0 to 255 (ISO 8859-1); UTF-8 in the target is thus kept byte for byte
 * and printed so.
 *
 * <p>May use base and model.
 */
package dev.fathom.dtrace.ir;
