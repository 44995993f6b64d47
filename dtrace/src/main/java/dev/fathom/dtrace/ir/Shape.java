// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import dev.fathom.model.type.CType;
import java.util.Optional;

/**
 * How the consumer shows a value.
 *
 * @param form what it is
 * @param bytes the size of its D type: 1, 2, 4 or 8 for numbers, {@code strsize} for strings, the
 *     size of a blob; 0 where that says nothing
 * @param type the D type, where the consumer wants to know more ({@code print()})
 */
public record Shape(Form form, int bytes, Optional<CType> type) {
  public enum Form {
    SIGNED(IrType.INT),
    UNSIGNED(IrType.INT),
    STRING(IrType.STRING),
    /**
     * Bytes, shown as a hex dump or, if they look like one, as a string; an {@link IrType.Blob}.
     */
    BYTES(new IrType.Blob(0)),
    STACK(IrType.Word.STACK),
    USTACK(IrType.Word.USTACK),
    /** {@code sym()} and {@code func()}. */
    SYM(IrType.INT),
    MOD(IrType.INT),
    USYM(IrType.Word.UADDR),
    UMOD(IrType.Word.UADDR),
    UADDR(IrType.Word.UADDR);

    private final IrType type;

    Form(IrType type) {
      this.type = type;
    }

    /** The type of such a value at the probe; of blobs, any size. */
    public IrType type() {
      return type;
    }
  }

  public Shape(Form form, int bytes) {
    this(form, bytes, Optional.empty());
  }

  /** The type of the value at the probe. */
  public IrType irType() {
    return form == Form.BYTES ? new IrType.Blob(bytes) : form.type();
  }
}
