/** The vocabulary of a program: types, symbols, registers, memory, values, unwind rules. */
module dev.fathom.model {
  requires dev.fathom.base;
}
