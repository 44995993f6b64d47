// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where a function of x86-64 finds its arguments and leaves its result (System V ABI, AMD64
 * supplement, 3.2.3; of C++ the Itanium ABI, 3.1), by their types.
 *
 * @param words what the registers for whole numbers get: RDI, RSI, RDX, RCX, R8, R9
 * @param vectors what the low halves of XMM0 to XMM7 get, or all of one; 8 or 16 bytes each
 * @param stack what stands behind the return address, from an address that is divisible by 16
 */
public record SystemVCall(List<Long> words, List<byte[]> vectors, byte[] stack) {
  private static final int WORDS = 6;
  private static final int VECTORS = 8;
  private static final int EIGHT = 8;

  /** What is larger is in memory; vectors of 32 and 64 bytes are refused. */
  private static final int IN_REGISTERS = 16;

  /** Above, clang aligns an argument on the stack, and gcc only for processors with AVX. */
  private static final long MAX_STACK_ALIGNMENT = 16;

  /** What the place for a result is aligned to. */
  public static final long MAX_RESULT_ALIGNMENT = 64;

  /** Parts of one value that are looked at, and how deep they nest. */
  private static final int MAX_PARTS = 1 << 12;

  private static final int MAX_DEPTH = 64;

  /** The largest value that is passed. */
  public static final int MAX_BYTES = 1 << 16;

  /** The classes of eight bytes (3.2.3). */
  private enum Part {
    NONE,
    INTEGER,
    SSE,
    SSE_UP,
    X87,
    X87_UP,
    MEMORY
  }

  public SystemVCall {
    words = List.copyOf(words);
    vectors = List.copyOf(vectors);
  }

  /** An argument: its type and its bytes, the least significant first. */
  public record Argument(CType type, byte[] bytes) {}

  /** Where a result is. */
  public enum Result {
    /** In RAX, RDX, XMM0, XMM1, or nowhere when it has no bytes. */
    REGISTERS,
    /** In ST0. */
    FLOATING,
    /** In ST0 and ST1: a complex number of two such. */
    COMPLEX,
    /** In memory, whose address is the first argument. */
    MEMORY
  }

  /**
   * Where a function leaves a result of that type.
   *
   * @throws UnsupportedException when it is not known what the type is made of
   */
  public static Result result(CType type) {
    var shape = Shape.of(type);
    if (size(type) == 0) {
      return Result.REGISTERS;
    }
    if (type.resolved() instanceof CompositeType c
        && c.isComplex()
        && isX87(c.members().getFirst().type())) {
      return Result.COMPLEX;
    }
    if (shape.alignment > MAX_RESULT_ALIGNMENT) {
      throw new UnsupportedException(
          "'" + type.text() + "' is aligned to more than " + MAX_RESULT_ALIGNMENT + " bytes");
    }
    if (!shape.trivial) {
      return Result.MEMORY;
    }
    return switch (classify(type).getFirst()) {
      case MEMORY -> Result.MEMORY;
      case X87 -> Result.FLOATING;
      case NONE, INTEGER, SSE, SSE_UP, X87_UP -> Result.REGISTERS;
    };
  }

  /**
   * Gives each argument its place.
   *
   * @param arguments in order; what comes in front of them in memory, such as the place for the
   *     result, is a pointer among them
   * @throws UnsupportedException when one cannot be passed by a debugger
   */
  public static SystemVCall of(List<Argument> arguments) {
    var words = new ArrayList<Long>();
    var vectors = new ArrayList<byte[]>();
    var stack = new ByteArrayOutputStream();
    for (var argument : arguments) {
      var type = argument.type();
      var shape = Shape.of(type);
      if (!shape.trivial) {
        throw new UnsupportedException(
            "a '" + type.text() + "' is passed by a copy that its class makes: use a pointer");
      }
      if (size(type) > MAX_BYTES) {
        throw new UnsupportedException(
            "'" + type.text() + "' has more than " + MAX_BYTES + " bytes");
      }
      var parts = classify(type);
      long integers = parts.stream().filter(p -> p == Part.INTEGER).count();
      long floats = parts.stream().filter(p -> p == Part.SSE).count();
      boolean fits =
          !parts.contains(Part.MEMORY)
              && !parts.contains(Part.X87)
              && words.size() + integers <= WORDS
              && vectors.size() + floats <= VECTORS;
      if (fits) {
        inRegisters(extended(argument), parts, words, vectors);
      } else {
        if (shape.alignment > MAX_STACK_ALIGNMENT) {
          throw new UnsupportedException(
              "'"
                  + type.text()
                  + "' is aligned to more than "
                  + MAX_STACK_ALIGNMENT
                  + " bytes, where compilers differ: use a pointer");
        }
        pad(stack, Math.max(EIGHT, shape.alignment));
        stack.writeBytes(extended(argument));
        pad(stack, EIGHT);
      }
    }
    return new SystemVCall(words, vectors, stack.toByteArray());
  }

  /** Whole numbers with their sign in all of a register: clang's functions rely on 32 bits. */
  private static byte[] extended(Argument argument) {
    byte[] bytes = argument.bytes();
    boolean signed =
        switch (argument.type().resolved()) {
          case IntType i -> i.signed();
          case EnumType e -> e.signed();
          default -> false;
        };
    if (!signed || bytes.length == 0 || bytes.length >= EIGHT || bytes[bytes.length - 1] >= 0) {
      return bytes;
    }
    byte[] whole = Arrays.copyOf(bytes, EIGHT);
    Arrays.fill(whole, bytes.length, EIGHT, (byte) 0xff);
    return whole;
  }

  private static void inRegisters(
      byte[] bytes, List<Part> parts, List<Long> words, List<byte[]> vectors) {
    byte[] padded = Arrays.copyOf(bytes, parts.size() * EIGHT);
    for (int i = 0; i < parts.size(); i++) {
      switch (parts.get(i)) {
        case INTEGER ->
            words.add(ByteBuffer.wrap(padded).order(ByteOrder.LITTLE_ENDIAN).getLong(i * EIGHT));
        case SSE -> {
          boolean wide = i + 1 < parts.size() && parts.get(i + 1) == Part.SSE_UP;
          vectors.add(Arrays.copyOfRange(padded, i * EIGHT, (i + (wide ? 2 : 1)) * EIGHT));
        }
        case NONE, SSE_UP, X87, X87_UP, MEMORY -> {}
      }
    }
  }

  private static void pad(ByteArrayOutputStream out, long alignment) {
    while (out.size() % alignment != 0) {
      out.write(0);
    }
  }

  /**
   * The bytes of a result in registers.
   *
   * @param words RAX and RDX
   * @param vectors XMM0 and XMM1, 16 bytes each; may be empty where {@link #usesVectors} is not
   */
  public static byte[] collect(CType type, List<Long> words, List<byte[]> vectors) {
    var parts = classify(type);
    var out = ByteBuffer.allocate(parts.size() * EIGHT).order(ByteOrder.LITTLE_ENDIAN);
    int word = 0;
    int vector = 0;
    for (var part : parts) {
      switch (part) {
        case INTEGER -> out.putLong(words.get(word++));
        case SSE -> out.put(vectors.get(vector++), 0, EIGHT);
        case SSE_UP -> out.put(vectors.get(vector - 1), EIGHT, EIGHT);
        case NONE, X87, X87_UP, MEMORY -> out.putLong(0);
      }
    }
    return Arrays.copyOf(out.array(), (int) size(type));
  }

  /** Whether a result is in vector registers, or part of it. */
  public static boolean usesVectors(CType type) {
    return classify(type).contains(Part.SSE);
  }

  private static long size(CType type) {
    if (type.resolved() instanceof OpaqueType) {
      throw new UnsupportedException("what a '" + type.text() + "' is made of is not known");
    }
    return type.resolved() instanceof VoidType ? 0 : type.bytes();
  }

  /** The classes of a value's eight bytes each; none of what has no bytes. */
  private static List<Part> classify(CType type) {
    long size = size(type);
    if (size > IN_REGISTERS) {
      return List.of(Part.MEMORY);
    }
    var parts = new Part[(int) ((size + EIGHT - 1) / EIGHT)];
    Arrays.fill(parts, Part.NONE);
    var walk = new Walk(parts);
    walk.add(type, 0, 0);
    if (walk.unaligned || List.of(parts).contains(Part.MEMORY)) {
      return List.of(Part.MEMORY);
    }
    for (int i = 0; i < parts.length; i++) {
      if (parts[i] == Part.X87_UP && (i == 0 || parts[i - 1] != Part.X87)) {
        return List.of(Part.MEMORY);
      }
      if (parts[i] == Part.SSE_UP && (i == 0 || parts[i - 1] != Part.SSE)) {
        parts[i] = Part.SSE;
      }
    }
    return List.of(parts);
  }

  /** Looks at all that a value is made of. */
  private static final class Walk {
    private final Part[] parts;
    private boolean unaligned;
    private int seen;

    Walk(Part[] parts) {
      this.parts = parts;
    }

    void add(CType type, long offset, int depth) {
      if (++seen > MAX_PARTS || depth > MAX_DEPTH) {
        throw new UnsupportedException("'" + type.text() + "' has too many parts");
      }
      long size = size(type);
      switch (type.resolved()) {
        case CompositeType c -> {
          for (var member : c.members()) {
            if (member.bitSize() != 0) {
              bits(offset * EIGHT + member.bitOffset(), member.bitSize());
            } else {
              add(member.type(), offset + member.byteOffset(), depth + 1);
            }
          }
        }
        case ArrayType a when a.isVector() -> {
          align(type, offset);
          merge(offset, Part.SSE);
          if (size > EIGHT) {
            merge(offset + EIGHT, Part.SSE_UP);
          }
        }
        case ArrayType a -> {
          long count = a.count().orElse(0);
          for (long i = 0; i < count; i++) {
            add(a.element(), offset + i * size(a.element()), depth + 1);
          }
        }
        case FloatType f -> {
          align(type, offset);
          merge(offset, isX87(f) ? Part.X87 : Part.SSE);
          if (size > EIGHT) {
            merge(offset + EIGHT, isX87(f) ? Part.X87_UP : Part.SSE_UP);
          }
        }
        case IntType _, BoolType _, EnumType _, PointerType _ -> {
          align(type, offset);
          for (long at = 0; at < size; at += EIGHT) {
            merge(offset + at, Part.INTEGER);
          }
        }
        case VoidType _, FunctionType _, OpaqueType _, QualifiedType _, TypedefType _ -> {}
      }
    }

    private void bits(long first, int count) {
      for (long bit = first; bit < first + count; bit += EIGHT) {
        merge(bit / EIGHT, Part.INTEGER);
      }
      merge((first + count - 1) / EIGHT, Part.INTEGER);
    }

    private void align(CType type, long offset) {
      unaligned |= offset % scalarAlignment(type) != 0;
    }

    private void merge(long offset, Part part) {
      int at = (int) (offset / EIGHT);
      if (offset < 0 || at >= parts.length) {
        throw new UnsupportedException("a value has parts outside of its size");
      }
      var now = parts[at];
      boolean floating = isFloating(now) || isFloating(part);
      parts[at] =
          now == part || now == Part.NONE
              ? part
              : now == Part.MEMORY
                  ? Part.MEMORY
                  : now == Part.INTEGER || part == Part.INTEGER
                      ? Part.INTEGER
                      : floating ? Part.MEMORY : Part.SSE;
    }

    private static boolean isFloating(Part part) {
      return part == Part.X87 || part == Part.X87_UP;
    }
  }

  private static boolean isX87(CType type) {
    return type.resolved() instanceof FloatType f
        && f.bytes() == 16
        && !f.name().contains("128")
        && !f.name().contains("decimal")
        && !f.name().contains("_Decimal");
  }

  /** That of a number, a pointer or a vector. */
  private static long scalarAlignment(CType type) {
    return Math.clamp(Long.highestOneBit(Math.max(1, type.bytes())), 1, 16);
  }

  /** What holds of a value as a whole: whether its bytes are all of it, and its alignment. */
  private static final class Shape {
    private boolean trivial = true;
    private long alignment = 1;
    private int seen;

    static Shape of(CType type) {
      var shape = new Shape();
      shape.alignment = shape.look(type, false, 0);
      return shape;
    }

    /**
     * @param decided whether what is around it is known to be copied byte by byte, or not to be
     * @return the alignment
     */
    private long look(CType type, boolean decided, int depth) {
      if (++seen > MAX_PARTS || depth > MAX_DEPTH) {
        throw new UnsupportedException("'" + type.text() + "' has too many parts");
      }
      return switch (type.resolved()) {
        case CompositeType c -> composite(c, decided, depth);
        case ArrayType a when a.isVector() -> vector(a);
        case ArrayType a -> look(a.element(), decided, depth + 1);
        default -> scalarAlignment(type);
      };
    }

    private long composite(CompositeType type, boolean decided, int depth) {
      var told = type.passing().byValue();
      if (!decided) {
        trivial &=
            told.orElseGet(() -> type.virtualBases().isEmpty() && copiesBytes(type)).booleanValue();
      }
      long most = 1;
      boolean packed = false;
      for (var member : type.members()) {
        long own = look(member.type(), decided || told.isPresent(), depth + 1);
        packed |= !member.isBitField() && member.byteOffset() % own != 0;
        most = Math.max(most, own);
      }
      // A structure that is packed is aligned to bytes, whatever is in it.
      long natural = packed || type.bytes() % most != 0 ? 1 : most;
      return Math.max(natural, type.passing().alignment().orElse(1));
    }

    /** What is wider needs AVX; what compilers do with what is narrower differs. */
    private static long vector(ArrayType type) {
      boolean one = type.count().orElse(0) == 1;
      if (type.bytes() != 2 * EIGHT && (type.bytes() != EIGHT || one)) {
        throw new UnsupportedException(
            "a vector of " + type.bytes() + " bytes ('" + type.text() + "') cannot be passed");
      }
      return type.bytes();
    }
  }

  /**
   * Whether a class leaves copying and destroying its objects to the compiler (Itanium C++ ABI,
   * section 1.1, "non-trivial for the purposes of calls"), as far as what it declares tells.
   */
  private static boolean copiesBytes(CompositeType type) {
    boolean declared = false;
    boolean usable = false;
    for (var method : type.methods()) {
      boolean destructor = method.name().startsWith("~");
      boolean copying = isCopying(type, method);
      if (method.isVirtual()
          || ((destructor || copying) && method.body() == CompositeType.Body.OWN)
          || (destructor && method.body() == CompositeType.Body.DELETED)) {
        return false;
      }
      declared |= copying;
      usable |= copying && method.body() == CompositeType.Body.DEFAULTED;
    }
    return !declared || usable;
  }

  /** A constructor from another object of the class. */
  private static boolean isCopying(CompositeType type, CompositeType.Method method) {
    var parameters = method.type().parameters();
    return method.name().equals(ownName(type.name()))
        && parameters.size() > 1
        && parameters.get(1).type().resolved() instanceof PointerType reference
        && reference.isReference()
        && reference.target().resolved() instanceof CompositeType of
        && of.name().equals(type.name());
  }

  /** {@code Inner} of {@code app::Outer<int>::Inner<long>}. */
  private static String ownName(String name) {
    int from = 0;
    int to = name.length();
    int depth = 0;
    for (int i = 0; i < name.length(); i++) {
      switch (name.charAt(i)) {
        case '<' -> {
          if (depth++ == 0) {
            to = i;
          }
        }
        case '>' -> depth--;
        case ':' -> {
          if (depth == 0) {
            from = i + 1;
            to = name.length();
          }
        }
        default -> {}
      }
    }
    return from <= to ? name.substring(from, to) : name;
  }
}
