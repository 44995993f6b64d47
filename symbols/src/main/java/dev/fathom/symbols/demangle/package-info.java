/**
 * Demangles the names that C++ compilers give to functions and variables (Itanium C++ ABI,
 * "External Names"), to what c++filt prints. Mangled text enters, text goes out. Uses {@code base}.
 */
package dev.fathom.symbols.demangle;
