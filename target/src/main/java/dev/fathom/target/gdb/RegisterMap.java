// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.TargetException;
import dev.fathom.model.Register;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where each register of a stub stands in the reply to {@code g}, and which register of the
 * architecture's file it is. Architectures that the model knows are in {@link #known}; of another
 * one the register file is what the stub describes.
 */
final class RegisterMap {
  /**
   * A register of the stub.
   *
   * @param offset its first byte in the reply to {@code g}
   * @param kept the register of the file that keeps it; empty for wide ones and those that the file
   *     does not have
   */
  record Slot(Description.Entry entry, int offset, Optional<Register> kept) {}

  private static final int MAX_BYTES = 1 << 20;

  /** Names that the file spells otherwise. */
  private static final Map<String, String> ALIASES =
      Map.of("k_gs_base", "kernel_gs_base", "eflags", "rflags");

  private final String architecture;
  private final RegisterFile file;
  private final ByteOrder order;
  private final List<Slot> slots;

  private RegisterMap(String architecture, RegisterFile file, ByteOrder order, List<Slot> slots) {
    this.architecture = architecture;
    this.file = file;
    this.order = order;
    this.slots = slots;
  }

  /**
   * Lays out a stub's registers.
   *
   * @throws TargetException when no program counter is among them
   */
  static RegisterMap of(String name, Description description) {
    String bfd = description.architecture();
    ByteOrder order =
        bfd.startsWith("powerpc") || bfd.startsWith("s390") || bfd.startsWith("sparc")
            ? ByteOrder.BIG_ENDIAN
            : ByteOrder.LITTLE_ENDIAN;
    RegisterFile file = known(bfd).orElseGet(() -> DescribedRegisters.of(name, description));
    var slots = new ArrayList<Slot>();
    int offset = 0;
    for (Description.Entry entry : description.registers()) {
      slots.add(new Slot(entry, offset, kept(file, entry)));
      offset += entry.bytes();
      if (offset > MAX_BYTES) {
        throw new TargetException(
            name + ": the stub describes registers of more than " + MAX_BYTES + " bytes");
      }
    }
    return new RegisterMap(unameName(bfd), file, order, List.copyOf(slots));
  }

  /** The register files that the model has, by BFD's name of the architecture. */
  private static Optional<RegisterFile> known(String bfd) {
    return switch (bfd) {
      case "i386:x86-64" -> Optional.of(X86_64.INSTANCE.registers());
      case "aarch64" -> Optional.of(Aarch64.INSTANCE.registers());
      default -> Optional.empty();
    };
  }

  private static String unameName(String bfd) {
    return switch (bfd) {
      case "i386:x86-64" -> "x86_64";
      case "i386" -> "i686";
      case "riscv:rv64" -> "riscv64";
      case "powerpc:common64" -> "ppc64";
      case "s390:64-bit" -> "s390x";
      case "" -> "unknown";
      default -> bfd;
    };
  }

  private static Optional<Register> kept(RegisterFile file, Description.Entry entry) {
    if (entry.bits() > 64) {
      return Optional.empty();
    }
    String exact = ALIASES.getOrDefault(entry.name(), entry.name());
    // QEMU spells Arm's system registers in upper case.
    return file.named(exact).or(() -> file.named(exact.toLowerCase(Locale.ROOT)));
  }

  /** The name as in {@code uname -m}. */
  String architecture() {
    return architecture;
  }

  RegisterFile file() {
    return file;
  }

  ByteOrder order() {
    return order;
  }

  List<Slot> slots() {
    return slots;
  }

  Optional<Slot> slotOf(Register register) {
    for (Slot slot : slots) {
      if (slot.kept().isPresent() && slot.kept().get().equals(register)) {
        return Optional.of(slot);
      }
    }
    return Optional.empty();
  }

  /** The bytes of all registers together. */
  int totalBytes() {
    return slots.isEmpty() ? 0 : slots.getLast().offset() + slots.getLast().entry().bytes();
  }

  /** Those of a reply to {@code g} that the file keeps. */
  Registers registers(StubRegisters raw) {
    Registers.Builder builder = Registers.builder(file);
    for (Slot slot : slots) {
      if (slot.kept().isPresent() && raw.has(slot)) {
        builder.set(slot.kept().get(), raw.value(slot, order));
      }
    }
    return builder.build();
  }

  /** Registers that came by their numbers; what is none of the file's, or no value, is left out. */
  Registers registers(Map<Integer, String> told) {
    Registers.Builder builder = Registers.builder(file);
    for (Slot slot : slots) {
      String text = told.get(slot.entry().number());
      int count = slot.entry().bytes();
      if (text != null && slot.kept().isPresent() && text.length() == 2 * count) {
        var bytes = new byte[count];
        byte[] digits = text.getBytes(StandardCharsets.ISO_8859_1);
        if (Hex.decode(digits, 0, bytes, 0, count) == count) {
          builder.set(slot.kept().get(), value(bytes, 0, count, order));
        }
      }
    }
    return builder.build();
  }

  private static long value(byte[] bytes, int from, int count, ByteOrder order) {
    long value = 0;
    for (int i = 0; i < count; i++) {
      int at = order == ByteOrder.LITTLE_ENDIAN ? count - 1 - i : i;
      value = value << 8 | (bytes[from + at] & 0xff);
    }
    return value;
  }

  /** A register file made of what a stub describes. */
  private static final class DescribedRegisters implements RegisterFile {
    private static final List<String> PROGRAM_COUNTERS = List.of("pc", "rip", "eip", "pswa");
    private static final List<String> STACK_POINTERS = List.of("sp", "rsp", "esp", "r1", "r15");
    private static final List<String> FRAME_POINTERS = List.of("fp", "x29", "rbp", "ebp", "s0");

    private final List<Register> registers;
    private final Map<String, Register> names = new HashMap<>();
    private final Register pc;
    private final Register sp;
    private final Register fp;

    private DescribedRegisters(String name, List<Register> registers) {
      this.registers = List.copyOf(registers);
      for (Register register : registers) {
        names.putIfAbsent(register.name(), register);
      }
      pc = role(name, "program counter", PROGRAM_COUNTERS);
      sp = role(name, "stack pointer", STACK_POINTERS);
      fp = first(FRAME_POINTERS).orElse(sp);
    }

    static DescribedRegisters of(String name, Description description) {
      var registers = new ArrayList<Register>();
      for (Description.Entry entry : description.registers()) {
        if (entry.bits() <= 64) {
          registers.add(new Register(entry.name(), registers.size(), entry.bits()));
        }
      }
      return new DescribedRegisters(name, registers);
    }

    private Register role(String name, String role, List<String> candidates) {
      return first(candidates)
          .orElseThrow(() -> new TargetException(name + ": the stub's registers have no " + role));
    }

    private Optional<Register> first(List<String> candidates) {
      for (String candidate : candidates) {
        Register register = names.get(candidate);
        if (register != null) {
          return Optional.of(register);
        }
      }
      return Optional.empty();
    }

    @Override
    public List<Register> registers() {
      return registers;
    }

    @Override
    public Optional<Register> named(String name) {
      return Optional.ofNullable(names.get(name));
    }

    @Override
    public Register pc() {
      return pc;
    }

    @Override
    public Register sp() {
      return sp;
    }

    @Override
    public Register fp() {
      return fp;
    }
  }

  /** The bytes of one CPU's registers, as {@code g} gave them, with what was set since. */
  static final class StubRegisters {
    private final byte[] bytes;
    private final boolean[] known;
    private final int general;

    private StubRegisters(byte[] bytes, boolean[] known, int general) {
      this.bytes = bytes;
      this.known = known;
      this.general = general;
    }

    /**
     * Decodes a reply to {@code g}; registers beyond its end and those given as x are unknown.
     *
     * @param total the bytes of all registers
     */
    static StubRegisters decode(byte[] text, int total) {
      int general = text.length / 2;
      var bytes = new byte[Math.max(general, total)];
      var known = new boolean[bytes.length];
      for (int i = 0; i < general; i++) {
        int high = Hex.value(text[2 * i] & 0xff);
        int low = Hex.value(text[2 * i + 1] & 0xff);
        known[i] = high >= 0 && low >= 0;
        bytes[i] = (byte) (known[i] ? high << 4 | low : 0);
      }
      return new StubRegisters(bytes, known, general);
    }

    /** Whether a register comes with {@code g}, and not one by one. */
    boolean isGeneral(Slot slot) {
      return slot.offset() + slot.entry().bytes() <= general;
    }

    /** Takes the reply to {@code p}, where it is one register's value. */
    void take(Slot slot, Reply reply) {
      int count = slot.entry().bytes();
      if (reply.bytes().length == 2 * count
          && Hex.decode(reply.bytes(), 0, bytes, slot.offset(), count) == count) {
        Arrays.fill(known, slot.offset(), slot.offset() + count, true);
      }
    }

    boolean has(Slot slot) {
      int end = slot.offset() + slot.entry().bytes();
      if (end > bytes.length) {
        return false;
      }
      for (int i = slot.offset(); i < end; i++) {
        if (!known[i]) {
          return false;
        }
      }
      return true;
    }

    byte[] bytes(Slot slot) {
      return Arrays.copyOfRange(bytes, slot.offset(), slot.offset() + slot.entry().bytes());
    }

    long value(Slot slot, ByteOrder order) {
      return RegisterMap.value(bytes, slot.offset(), slot.entry().bytes(), order);
    }

    void set(Slot slot, byte[] value) {
      System.arraycopy(value, 0, bytes, slot.offset(), value.length);
    }

    /** All of them, as {@code G} takes them. */
    String encode() {
      var text = new byte[2 * general];
      for (int i = 0; i < general; i++) {
        text[2 * i] = known[i] ? Hex.digit(bytes[i] >> 4) : (byte) 'x';
        text[2 * i + 1] = known[i] ? Hex.digit(bytes[i]) : (byte) 'x';
      }
      return new String(text, StandardCharsets.ISO_8859_1);
    }
  }

  /** A value as the stub's {@code P} takes it: the register's bytes in the target's order. */
  byte[] encode(Slot slot, long value) {
    var bytes = new byte[slot.entry().bytes()];
    for (int i = 0; i < bytes.length; i++) {
      int at = order == ByteOrder.LITTLE_ENDIAN ? i : bytes.length - 1 - i;
      bytes[at] = (byte) (value >>> (8 * i));
    }
    return bytes;
  }
}
