/**
 * Turns formats into what the model asks for: symbol tables from kallsyms, type sources from BTF,
 * unwind sources from ORC and from call frame information. Opened tables of {@code format} enter;
 * may use {@code format} and {@code model}.
 */
package dev.fathom.symbols;
