// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Says what a file is that is no Linux crash dump, by its first bytes. */
final class ForeignFiles {
  private static final String EXPECTED =
      "expected a Linux crash dump: ELF vmcore, kdump-compressed or flattened";

  /** The signature's bytes as ISO-8859-1 text, where it stands, and what the file is. */
  private record Signature(int offset, String bytes, String what) {}

  private static final Signature[] SIGNATURES = {
    new Signature(0x202, "HdrS", "a bootable Linux kernel image (bzImage)"),
    new Signature(0, "PAGEDU64", "a Windows crash dump"),
    new Signature(0, "PAGEDUMP", "a Windows crash dump of a 32-bit machine"),
    new Signature(0, "MDMP", "a Windows minidump of a process"),
    new Signature(0, "EMiL", "a LiME memory image"),
    new Signature(0, "QEVM", "a QEMU migration stream (savevm)"),
    new Signature(0, "LibvirtQemudSave", "a guest saved by libvirt (virsh save)"),
    new Signature(0, "QFI\u00fb", "a qcow2 disk image"),
    new Signature(0, "LinuxGuestRecord", "a guest saved by Xen (xl save)"),
    new Signature(0, "XenSavedDomain", "a guest saved by Xen"),
    new Signature(0, "minidump FreeBSD/", "a FreeBSD minidump"),
    new Signature(0, "minidump DFlyBSD/", "a DragonFly BSD minidump"),
    new Signature(0, "FreeBSD Kernel Dump", "a FreeBSD kernel dump with its header"),
    new Signature(0, "\u00ed\u008d\u00ec\u00de", "a Solaris or illumos crash dump"),
    new Signature(0, "\u00de\u00ec\u008d\u00ed", "a Solaris or illumos crash dump (big-endian)"),
    new Signature(0, "\u00d0\u00be\u00d2\u00be", "a VMware state file (vmss, vmsn)"),
    new Signature(0, "\u00d1\u00ba\u00d1\u00ba", "a VMware state file (vmss, vmsn)"),
    new Signature(0, "\u00d2\u00be\u00d2\u00be", "a VMware state file (vmss, vmsn)"),
    new Signature(0, "\u00d3\u00be\u00d3\u00be", "a VMware state file (vmss, vmsn)"),
    new Signature(0, "\u00ed#\u008fas\u0001\u0019\u00a8", "an LKCD dump"),
    new Signature(0, "\u00a8\u0019\u0001sa\u008f#\u00fd", "an s390 standalone dump"),
    new Signature(0, "\u001f\u008b", "compressed with gzip; unpack it first"),
    new Signature(0, "\u00fd7zXZ\u0000", "compressed with xz; unpack it first"),
    new Signature(0, "BZh", "compressed with bzip2; unpack it first"),
    new Signature(0, "(\u00b5/\u00fd", "compressed with zstd; unpack it first"),
    new Signature(0, "\u0004\"M\u0018", "compressed with lz4; unpack it first"),
    new Signature(0, "\u0089LZO\u0000\r\n\u001a\n", "compressed with lzop; unpack it first"),
    new Signature(0, "PK\u0003\u0004", "a zip archive; unpack it first"),
    new Signature(257, "ustar", "a tar archive; unpack it first"),
    new Signature(0, "#!", "a script"),
    new Signature(0, "MZ", "a Windows or EFI program"),
    new Signature(0x1fe, "U\u00aa", "a disk image"),
  };

  private static final int HEAD = 1024;

  private ForeignFiles() {}

  /** The error for a file that is in none of the formats that are read here. */
  static BadDataException error(ByteSource source) {
    if (source.size() == 0) {
      return new BadDataException(source.name(), 0, "empty file, " + EXPECTED);
    }
    byte[] head = source.bytes(0, (int) Math.min(HEAD, source.size()));
    for (Signature signature : SIGNATURES) {
      if (has(head, signature)) {
        return new BadDataException(
            source.name(), signature.offset, "this is " + signature.what + ", " + EXPECTED);
      }
    }
    String guess = allZero(head) ? "only zeros, perhaps a raw memory image" : start(head);
    return new BadDataException(source.name(), 0, guess + ", " + EXPECTED);
  }

  private static boolean has(byte[] head, Signature signature) {
    byte[] bytes = signature.bytes.getBytes(StandardCharsets.ISO_8859_1);
    if (head.length < signature.offset + bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      if (head[signature.offset + i] != bytes[i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean allZero(byte[] head) {
    for (byte b : head) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  private static String start(byte[] head) {
    byte[] eight = new byte[8];
    System.arraycopy(head, 0, eight, 0, Math.min(8, head.length));
    long first = ByteBuffer.wrap(eight).order(ByteOrder.BIG_ENDIAN).getLong();
    String digits = Long.toHexString(first);
    return "unknown signature 0x" + "0".repeat(16 - digits.length()) + digits;
  }
}
