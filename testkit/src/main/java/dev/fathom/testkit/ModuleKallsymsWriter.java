// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

/**
 * Writes a module's symbol table as the kernel keeps it: Elf64_Sym entries, their names and their
 * type letters.
 */
public final class ModuleKallsymsWriter {
  private final LittleEndian symtab = new LittleEndian();
  private final LittleEndian strtab = new LittleEndian().u8(0);
  private final LittleEndian typetab = new LittleEndian();

  /** Begins with the empty entry that every ELF symbol table begins with. */
  public ModuleKallsymsWriter() {
    entry(0, '?', 0, 0, 0);
  }

  public ModuleKallsymsWriter symbol(char type, long address, long size, String name) {
    entry(strtab.size(), type, 1, address, size);
    strtab.cString(name);
    return this;
  }

  /** A symbol of another image: no section. */
  public ModuleKallsymsWriter undefined(String name) {
    entry(strtab.size(), 'U', 0, 0, 0);
    strtab.cString(name);
    return this;
  }

  /**
   * {@code type} goes both where kernels before 5.2 have it, in st_info, and into the table of its
   * own.
   */
  private void entry(int name, char type, int section, long address, long size) {
    symtab.u32(name).u8(type).u8(0).u16(section).u64(address).u64(size);
    typetab.u8(type);
  }

  public byte[] symtab() {
    return symtab.toByteArray();
  }

  public byte[] strtab() {
    return strtab.toByteArray();
  }

  public byte[] typetab() {
    return typetab.toByteArray();
  }
}
