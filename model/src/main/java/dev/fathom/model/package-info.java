/** The vocabulary of a program: types, symbols, registers, memory, values, unwind rules. */
package dev.fathom.model;
