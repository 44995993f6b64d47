// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.probe.TracedFile;
import dev.fathom.dtrace.record.FaultKind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** D's subroutines as closures. */
final class Subroutines {
  /** What the bits of a signature are worth (Arm Architecture Reference Manual, section D8.8). */
  private static final long SIGN = 1L << 55;

  private final ClosureBuilder builder;

  Subroutines(ClosureBuilder builder) {
    this.builder = builder;
  }

  private Code.Number n(Expr.Call c, int index) {
    return builder.number(c.arguments().get(index));
  }

  private Code.Thing s(Expr.Call c, int index) {
    return builder.thing(c.arguments().get(index));
  }

  /** Those whose result is a number. */
  Code.Number number(Expr.Call c) {
    return switch (c.subroutine()) {
      case ALLOCA -> {
        var size = n(c, 0);
        yield m -> m.allocate(size.get(m));
      }
      case BCOPY -> {
        var from = n(c, 0);
        var to = n(c, 1);
        var size = n(c, 2);
        yield m -> {
          long source = from.get(m);
          long target = to.get(m);
          m.store(target, m.bytes(Space.KERNEL, source, count(m, size.get(m))));
          return 0;
        };
      }
      case COPYIN -> {
        var from = n(c, 0);
        var size = n(c, 1);
        yield m -> {
          long source = from.get(m);
          var bytes = m.bytes(Space.USER, source, count(m, size.get(m)));
          long address = m.allocate(bytes.length);
          m.store(address, bytes);
          return address;
        };
      }
      case COPYINTO -> {
        var from = n(c, 0);
        var size = n(c, 1);
        var to = n(c, 2);
        yield m -> {
          long source = from.get(m);
          var bytes = m.bytes(Space.USER, source, count(m, size.get(m)));
          m.store(to.get(m), bytes);
          return 0;
        };
      }
      case COPYOUT -> {
        var from = n(c, 0);
        var to = n(c, 1);
        var size = n(c, 2);
        yield m -> {
          long source = from.get(m);
          long target = to.get(m);
          m.context.copyOut(target, m.bytes(Space.KERNEL, source, count(m, size.get(m))));
          return 0;
        };
      }
      case COPYOUTSTR -> {
        var text = s(c, 0);
        var to = n(c, 1);
        var size = n(c, 2);
        yield m -> {
          var bytes = ((String) text.get(m)).getBytes(StandardCharsets.ISO_8859_1);
          long target = to.get(m);
          int most = (int) Math.clamp(size.get(m), 0L, bytes.length + 1L);
          m.context.copyOut(target, Arrays.copyOf(bytes, most));
          return 0;
        };
      }
      case HTONL, NTOHL -> {
        var value = n(c, 0);
        yield m -> Integer.reverseBytes((int) value.get(m)) & 0xffffffffL;
      }
      case HTONLL, NTOHLL -> {
        var value = n(c, 0);
        yield m -> Long.reverseBytes(value.get(m));
      }
      case CHARACTER -> {
        var text = s(c, 0);
        var index = n(c, 1);
        yield m -> {
          var t = (String) text.get(m);
          long i = index.get(m);
          if (i < 0 || i >= m.strsize) {
            throw m.fail(FaultKind.BAD_INDEX, i);
          }
          return i < t.length() ? t.charAt((int) i) : 0;
        };
      }
      case GETF -> {
        var descriptor = n(c, 0);
        yield m -> m.context.fileObject(descriptor.get(m));
      }
      case FILE_NUMBER -> {
        var descriptor = n(c, 0);
        var part = n(c, 1);
        yield m -> {
          var file = m.context.file(descriptor.get(m));
          boolean flags = part.get(m) == 1;
          return file.isEmpty() ? 0 : flags ? file.get().flags() : file.get().offset();
        };
      }
      case PAGE_OFFSET -> {
        var page = n(c, 0);
        yield m -> m.context.fileOfPage(page.get(m)).map(TracedFile::offset).orElse(0L);
      }
      case MEMREF -> {
        var address = n(c, 0);
        var size = n(c, 1);
        yield m -> {
          long at = address.get(m);
          long bytes = size.get(m);
          long reference = m.allocate(16);
          m.store(reference, 8, at);
          m.store(reference + 8, 8, bytes);
          return reference;
        };
      }
      case STRIP -> {
        var address = n(c, 0);
        var bits = n(c, 1);
        yield m -> {
          long a = address.get(m);
          long b = bits.get(m);
          long unused = b < 64 ? -1L << b : 0;
          return (a & SIGN) != 0 ? a | unused : a & ~unused;
        };
      }
      case HTONS, NTOHS -> {
        var value = n(c, 0);
        yield m -> Short.reverseBytes((short) value.get(m)) & 0xffff;
      }
      case INDEX -> {
        var text = s(c, 0);
        var part = s(c, 1);
        var from = n(c, 2);
        yield m -> Strings.index((String) text.get(m), (String) part.get(m), from.get(m));
      }
      case RINDEX -> {
        var text = s(c, 0);
        var part = s(c, 1);
        var from = n(c, 2);
        yield m -> Strings.lastIndex((String) text.get(m), (String) part.get(m), from.get(m));
      }
      case PROGENYOF -> {
        var pid = n(c, 0);
        yield m -> m.context.progenyOf(pid.get(m)) ? 1 : 0;
      }
      case RAND -> Machine::nextRandom;
      case SPECULATION -> Machine::newSpeculation;
      case STRLEN -> {
        var text = s(c, 0);
        yield m -> ((String) text.get(m)).length();
      }
      case STRTOLL -> {
        var text = s(c, 0);
        var base = n(c, 1);
        yield m -> {
          long b = base.get(m);
          if (b < 2 || b > 36) {
            throw m.fail(FaultKind.ILLEGAL_OPERATION, b);
          }
          return Strings.toNumber((String) text.get(m), (int) b);
        };
      }
      case ARGUMENTS,
          BASENAME,
          CLEANPATH,
          COPYINSTR,
          D_PATH,
          DIRNAME,
          FILE_TEXT,
          GUESTSTACK,
          INET_NTOA,
          INET_NTOA6,
          INET_NTOP,
          JSON,
          LINK_NTOP,
          LLTOSTR,
          MEMSTR,
          PAGE_TEXT,
          STRCHR,
          STRJOIN,
          STRRCHR,
          STRSTR,
          STRTOK,
          STRTOK_NEXT,
          SUBSTR,
          TOLOWER,
          TOUPPER,
          UUIDSTR ->
          throw new IllegalStateException("no number: " + c.subroutine());
    };
  }

  private static int count(Machine m, long size) {
    if (size < 0 || size > m.program.limits().scratchsize()) {
      throw m.fail(FaultKind.BAD_SIZE, size);
    }
    return (int) size;
  }

  /** Those whose result is a string. */
  Code.Thing string(Expr.Call c) {
    var code = untrimmed(c);
    return m -> {
      var text = (String) code.get(m);
      return text.length() > m.strsize ? text.substring(0, m.strsize) : text;
    };
  }

  private static String text(Optional<TracedFile> file, long part) {
    if (file.isEmpty()) {
      return "<none>";
    }
    var text =
        part == 0 ? file.get().path() : part == 1 ? file.get().fileSystem() : file.get().mount();
    return text.isEmpty() ? "<unknown>" : text;
  }

  private Code.Thing untrimmed(Expr.Call c) {
    return switch (c.subroutine()) {
      case BASENAME -> {
        var path = s(c, 0);
        yield m -> Strings.basename((String) path.get(m));
      }
      case DIRNAME -> {
        var path = s(c, 0);
        yield m -> Strings.dirname((String) path.get(m));
      }
      case CLEANPATH -> {
        var path = s(c, 0);
        yield m -> Strings.cleanpath((String) path.get(m));
      }
      case COPYINSTR -> {
        var address = n(c, 0);
        var most = n(c, 1);
        yield m -> {
          long at = address.get(m);
          return m.string(Space.USER, at, most.get(m));
        };
      }
      case GUESTSTACK ->
          m -> {
            var text = new StringBuilder("GUEST");
            for (long pc : m.context.stack(m.program.limits().stackframes())) {
              text.append(",0x").append(Long.toHexString(pc));
            }
            return text.toString();
          };
      case D_PATH -> {
        var path = n(c, 0);
        yield m -> m.context.path(path.get(m));
      }
      case INET_NTOA -> {
        var address = n(c, 0);
        yield m -> Networks.ipv4(m.bytes(Space.KERNEL, address.get(m), 4));
      }
      case INET_NTOA6 -> {
        var address = n(c, 0);
        yield m -> Networks.ipv6(m.bytes(Space.KERNEL, address.get(m), 16));
      }
      case INET_NTOP -> {
        var family = n(c, 0);
        var address = n(c, 1);
        yield m -> {
          long f = family.get(m);
          if (f == 2) {
            return Networks.ipv4(m.bytes(Space.KERNEL, address.get(m), 4));
          }
          if (f == 10) {
            return Networks.ipv6(m.bytes(Space.KERNEL, address.get(m), 16));
          }
          throw m.fail(FaultKind.ILLEGAL_OPERATION, f);
        };
      }
      case LINK_NTOP -> {
        var type = n(c, 0);
        var address = n(c, 1);
        yield m -> {
          long t = type.get(m);
          // ARPHRD_ETHER and ARPHRD_INFINIBAND of linux/if_arp.h.
          if (t != 1 && t != 32) {
            throw m.fail(FaultKind.ILLEGAL_OPERATION, t);
          }
          return Networks.link(m.bytes(Space.KERNEL, address.get(m), t == 1 ? 6 : 20));
        };
      }
      case JSON -> {
        var text = s(c, 0);
        var path = s(c, 1);
        yield m -> Json.find((String) text.get(m), (String) path.get(m));
      }
      case LLTOSTR -> {
        var value = n(c, 0);
        var base = n(c, 1);
        yield m -> {
          long v = value.get(m);
          long b = base.get(m);
          if (b < 2 || b > 36) {
            throw m.fail(FaultKind.ILLEGAL_OPERATION, b);
          }
          return Strings.fromNumber(v, (int) b);
        };
      }
      case ARGUMENTS -> {
        var thread = n(c, 0);
        yield m -> m.context.arguments(thread.get(m));
      }
      case FILE_TEXT -> {
        var descriptor = n(c, 0);
        var part = n(c, 1);
        yield m -> text(m.context.file(descriptor.get(m)), part.get(m));
      }
      case PAGE_TEXT -> {
        var page = n(c, 0);
        var part = n(c, 1);
        yield m -> text(m.context.fileOfPage(page.get(m)), part.get(m));
      }
      case MEMSTR -> {
        var address = n(c, 0);
        var instead = n(c, 1);
        var size = n(c, 2);
        yield m -> {
          long at = address.get(m);
          char put = (char) (instead.get(m) & 0xff);
          int bytes = count(m, size.get(m));
          if (bytes == 0) {
            return "";
          }
          var text = Machine.latin(m.bytes(Space.KERNEL, at, bytes - 1), put);
          int end = text.indexOf(0);
          return end < 0 ? text : text.substring(0, end);
        };
      }
      case UUIDSTR -> {
        var address = n(c, 0);
        yield m -> Strings.uuid(m.bytes(Space.KERNEL, address.get(m), 16));
      }
      case STRCHR -> {
        var text = s(c, 0);
        var character = n(c, 1);
        yield m -> {
          var t = (String) text.get(m);
          int at = t.indexOf((int) (character.get(m) & 0xff));
          return at < 0 ? "" : t.substring(at);
        };
      }
      case STRRCHR -> {
        var text = s(c, 0);
        var character = n(c, 1);
        yield m -> {
          var t = (String) text.get(m);
          int at = t.lastIndexOf((int) (character.get(m) & 0xff));
          return at < 0 ? "" : t.substring(at);
        };
      }
      case STRSTR -> {
        var text = s(c, 0);
        var part = s(c, 1);
        yield m -> {
          var t = (String) text.get(m);
          int at = t.indexOf((String) part.get(m));
          return at < 0 ? "" : t.substring(at);
        };
      }
      case STRJOIN -> {
        var first = s(c, 0);
        var second = s(c, 1);
        yield m -> ((String) first.get(m)).concat((String) second.get(m));
      }
      case STRTOK -> {
        var text = s(c, 0);
        var delimiters = s(c, 1);
        yield m -> {
          m.token = (String) text.get(m);
          m.tokenAt = 0;
          return Strings.token(m, (String) delimiters.get(m));
        };
      }
      case STRTOK_NEXT -> {
        var delimiters = s(c, 0);
        yield m -> Strings.token(m, (String) delimiters.get(m));
      }
      case SUBSTR -> {
        var text = s(c, 0);
        var from = n(c, 1);
        var length = n(c, 2);
        yield m -> {
          var t = (String) text.get(m);
          long f = from.get(m);
          return Strings.substring(t, f, length.get(m));
        };
      }
      case TOLOWER -> {
        var text = s(c, 0);
        yield m -> Strings.lower((String) text.get(m));
      }
      case TOUPPER -> {
        var text = s(c, 0);
        yield m -> Strings.upper((String) text.get(m));
      }
      case ALLOCA,
          BCOPY,
          CHARACTER,
          COPYIN,
          COPYINTO,
          COPYOUT,
          COPYOUTSTR,
          FILE_NUMBER,
          GETF,
          HTONL,
          HTONLL,
          HTONS,
          INDEX,
          MEMREF,
          NTOHL,
          NTOHLL,
          NTOHS,
          PAGE_OFFSET,
          PROGENYOF,
          RAND,
          RINDEX,
          SPECULATION,
          STRIP,
          STRLEN,
          STRTOLL ->
          throw new IllegalStateException("a number: " + c.subroutine());
    };
  }
}
