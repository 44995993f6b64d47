// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.BadDataException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes {@code fathom_fault.ko}, a kernel module that faults on purpose, without a compiler or
 * kernel headers.
 *
 * <p>What depends on the kernel is learned from one of its own modules (the neighbour): the size of
 * {@code struct module} and where its {@code init} is, the version magic, the symbol versions, and
 * the flag bits of an ORC row for a call frame, which differ before and since Linux 6.4. The module
 * has ORC rows for its functions, so that its frames unwind as a compiled module's do:
 *
 * <pre>
 * init_module -> fathom_fault_outer -> fathom_fault_middle -> fathom_fault_leaf
 * </pre>
 */
final class FaultModule {
  /** The module's name. */
  static final String NAME = "fathom_fault";

  private static final int RELA_64 = 1;
  private static final int RELA_PC32 = 2;
  private static final int RELA_PLT32 = 4;

  /** A function: its instructions, and where its stack pointer moves (offset, new CFA distance). */
  private record Function(String name, String listing, int... rows) {}

  private static final Function LEAF =
      new Function(
          "fathom_fault_leaf",
          """
          f30f1efa        endbr64
          31c0            xor eax, eax
          c7002a000000    mov dword [rax], 42
          c3              ret
          cccc            int3
          """,
          0,
          8);

  private final ElfSections neighbour;
  private final String neighbourName;
  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private final Map<String, Integer> functions = new LinkedHashMap<>();
  private final Map<String, Integer> sizes = new LinkedHashMap<>();
  private final List<int[]> orcRows = new ArrayList<>();

  private FaultModule(String neighbourName, byte[] neighbour) {
    this.neighbourName = neighbourName;
    this.neighbour = new ElfSections(neighbourName, neighbour);
  }

  /**
   * The module's file for a kernel.
   *
   * @param neighbourName the name of a module of that kernel
   * @param neighbour its uncompressed file
   * @throws BadDataException when the neighbour lacks what is to be learned from it
   */
  static byte[] write(Fault fault, String neighbourName, byte[] neighbour) {
    return new FaultModule(neighbourName, neighbour).write(fault);
  }

  private byte[] write(Fault fault) {
    add(LEAF);
    add(caller("fathom_fault_middle", "fathom_fault_leaf"));
    add(caller("fathom_fault_outer", "fathom_fault_middle"));
    add(caller("fathom_fault_overflow", "fathom_fault_overflow"));
    List<Relocation> textRelocations = new ArrayList<>();
    if (fault == Fault.NULL_IN_INTERRUPT) {
      int start = text.size();
      add(
          new Function(
              "init_module",
              """
              f30f1efa        endbr64
              4883ec08        sub rsp, 8
              488d3d00000000  lea rdi, [rip+fathom_fault_work]
              e800000000      call irq_work_queue
              4883c408        add rsp, 8
              31c0            xor eax, eax
              c3              ret
              """,
              0,
              8,
              8,
              16,
              24,
              8));
      textRelocations.add(new Relocation(start + 11, RELA_PC32, "fathom_fault_work", -4));
      textRelocations.add(new Relocation(start + 16, RELA_PLT32, "irq_work_queue", -4));
    } else {
      add(
          caller(
              "init_module",
              fault == Fault.STACK_OVERFLOW ? "fathom_fault_overflow" : "fathom_fault_outer"));
    }

    byte[] thisModule = neighbour.section(".gnu.linkonce.this_module").orElseThrow(this::lacking);
    int nameAt = indexOf(thisModule, neighbourName);
    byte[] module = new byte[thisModule.length];
    byte[] name = NAME.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(name, 0, module, nameAt, name.length);

    ElfObject object = new ElfObject();
    object.section(".text", ElfObject.ALLOC | ElfObject.EXECUTE, 16, text.toByteArray());
    object.section(".data", ElfObject.ALLOC | ElfObject.WRITE, 8, new byte[32]);
    object.section(".gnu.linkonce.this_module", ElfObject.ALLOC | ElfObject.WRITE, 64, module);
    object.section(".modinfo", ElfObject.ALLOC, 1, modinfo());
    if (fault != Fault.NULL_IN_INTERRUPT) {
      byte[] versions = neighbour.section("__versions").orElseThrow(this::lacking);
      object.section("__versions", ElfObject.ALLOC, 32, versions);
    }
    orc(object);
    object.section(".note.GNU-stack", 0, 1, new byte[0]);
    functions.forEach((key, at) -> object.symbol(key, ".text", at, sizes.get(key), true));
    if (fault == Fault.NULL_IN_INTERRUPT) {
      // struct irq_work: list node, flags, source and target CPU, then the function (since 5.11).
      // The neighbour need not know irq_work_queue's version; Linux loads us without versions too.
      object.symbol("fathom_fault_work", ".data", 0, 32, false);
      object.undefined("irq_work_queue");
      object.relocate(".data", new Relocation(16, RELA_64, "fathom_fault_outer", 0));
    }
    object.relocate(
        ".gnu.linkonce.this_module", new Relocation(initOffset(), RELA_64, "init_module", 0));
    textRelocations.forEach(relocation -> object.relocate(".text", relocation));
    return object.write();
  }

  /** A function that only calls another. */
  private static Function caller(String name, String callee) {
    return new Function(
        name,
        """
        f30f1efa        endbr64
        4883ec08        sub rsp, 8
        e8????????      call %s
        4883c408        add rsp, 8
        31c0            xor eax, eax
        c3              ret
        """
            .formatted(callee),
        0,
        8,
        8,
        16,
        17,
        8);
  }

  private void add(Function function) {
    int start = text.size();
    functions.put(function.name(), start);
    String listing = function.listing();
    int call = listing.indexOf("e8????????");
    if (call >= 0) {
      String callee = listing.substring(listing.indexOf("call ") + 5).lines().findFirst().get();
      int next = start + 13;
      int distance = functions.get(callee) - next;
      String little = "%08x".formatted(Integer.reverseBytes(distance));
      listing = listing.replace("????????", little);
    }
    text.writeBytes(GuestPrograms.code(listing));
    sizes.put(function.name(), text.size() - start);
    for (int i = 0; i < function.rows().length; i += 2) {
      orcRows.add(new int[] {start + function.rows()[i], function.rows()[i + 1]});
    }
    orcRows.add(new int[] {text.size(), 0});
    while (text.size() % 16 != 0) {
      text.write(0xcc);
    }
  }

  private byte[] modinfo() {
    String magic = neighbour.modinfo("vermagic").orElseThrow(this::lacking);
    String info = "license=GPL\0depends=\0retpoline=Y\0name=" + NAME + "\0vermagic=" + magic + "\0";
    return info.getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Rows of {@code struct orc_entry} (arch/x86/include/asm/orc_types.h): s16 sp_offset, s16
   * bp_offset, u16 flags; a row of zeros ends a function.
   */
  private void orc(ElfObject object) {
    short flags = orcCallFlags();
    ByteBuffer rows = ByteBuffer.allocate(6 * orcRows.size()).order(ByteOrder.LITTLE_ENDIAN);
    for (int[] row : orcRows) {
      rows.putShort((short) row[1]).putShort((short) 0).putShort(row[1] == 0 ? 0 : flags);
    }
    object.section(".orc_unwind", ElfObject.ALLOC, 1, rows.array());
    object.section(".orc_unwind_ip", ElfObject.ALLOC, 1, new byte[4 * orcRows.size()]);
    object.sectionSymbol(".text");
    for (int i = 0; i < orcRows.size(); i++) {
      object.relocate(
          ".orc_unwind_ip", new Relocation(4 * i, RELA_PC32, ".text", orcRows.get(i)[0]));
    }
  }

  /** The flags of a neighbour's row that says: the caller's frame begins 8 above RSP. */
  private short orcCallFlags() {
    ByteBuffer rows =
        ByteBuffer.wrap(neighbour.section(".orc_unwind").orElseThrow(this::lacking))
            .order(ByteOrder.LITTLE_ENDIAN);
    while (rows.remaining() >= 6) {
      short distance = rows.getShort();
      short base = rows.getShort();
      short flags = rows.getShort();
      if (distance == 8 && base == 0 && (flags & 0xf) == 5) {
        return flags;
      }
    }
    throw lacking();
  }

  /**
   * Where {@code struct module} has its {@code init}: where the neighbour has a relocation of it.
   */
  private int initOffset() {
    ByteBuffer relocations =
        ByteBuffer.wrap(
                neighbour.section(".rela.gnu.linkonce.this_module").orElseThrow(this::lacking))
            .order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer symbols =
        ByteBuffer.wrap(neighbour.section(".symtab").orElseThrow(this::lacking))
            .order(ByteOrder.LITTLE_ENDIAN);
    byte[] strings = neighbour.section(".strtab").orElseThrow(this::lacking);
    while (relocations.remaining() >= 24) {
      long offset = relocations.getLong();
      int symbol = (int) (relocations.getLong() >>> 32);
      relocations.getLong();
      int nameAt = symbols.getInt(symbol * 24);
      if (indexOf(strings, "init_module", nameAt) == nameAt) {
        return (int) offset;
      }
    }
    throw lacking();
  }

  private int indexOf(byte[] bytes, String word) {
    int at = indexOf(bytes, word, 0);
    if (at < 0) {
      throw lacking();
    }
    return at;
  }

  private static int indexOf(byte[] bytes, String word, int from) {
    return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(word + "\0", from);
  }

  private BadDataException lacking() {
    return new BadDataException(neighbourName, 0, "lacks what a module of its kernel should have");
  }

  /** A relocation with an addend. */
  record Relocation(int offset, int type, String symbol, long addend) {}
}
