// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.EvalException;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.Progress;
import dev.fathom.session.dump.DumpJob;
import dev.fathom.session.dump.DumpOptions;
import dev.fathom.session.dump.DumpOptions.Compression;
import dev.fathom.session.dump.DumpOptions.Exclusion;
import dev.fathom.session.dump.DumpOptions.Format;
import dev.fathom.session.dump.DumpReport;
import dev.fathom.session.dump.DumpSource;
import dev.fathom.target.AttachOptions;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fathom dump}. */
@Command(
    name = "dump",
    description = "Write a dump: of a live guest, or of another dump, converted or filtered.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "TARGET is a dump, or the address of a live guest as attach takes it. A live",
      "guest stands still while it is dumped, unless --running is given, and goes on",
      "however that ends.",
      "",
      "Until it is whole the file is called FILE.part; a dump that was interrupted",
      "goes on with --resume. The file can be read by Fathom, crash, drgn and",
      "makedumpfile (old ones of them know no zstd: --compress zlib). What the",
      "kernel's page flags tell of is left out with --exclude:",
      "",
      "  zero      pages of zeros (ELF only: kdump has one page for all of them)",
      "  cache     file contents that can be read again",
      "  private   all of the page cache",
      "  user      processes' own memory",
      "  free      free pages",
      "",
      "  fathom dump vmcore -o vmcore.small --exclude cache,user,free",
      "  fathom dump qemu:4711 -o vmcore",
      "  fathom dump vmcore -o vmcore.elf --format elf",
      "  fathom dump vmcore -o - -d 31 | ssh host 'cat > vmcore.flat'",
    })
final class DumpCommand implements Callable<Integer> {
  private static final int MAX_LEVEL = 31;
  private static final int PATIENCE_SECONDS = 60;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "TARGET",
      arity = "1..*",
      description = "A dump or the parts of a split one, or the address of a live guest.")
  private List<String> targets;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The file to write; - for a flattened stream on standard output.")
  private String output;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "kdump (default) or elf.",
      defaultValue = "kdump")
  private String format;

  @Option(
      names = "--compress",
      paramLabel = "HOW",
      description = "zstd (default for kdump), zlib, lzo, snappy or none.")
  private String compression;

  @Option(names = "--flattened", description = "Write a flattened stream (makedumpfile -F).")
  private boolean flattened;

  @Option(
      names = "--exclude",
      paramLabel = "USE",
      split = ",",
      description = "What to leave out: zero, cache, private, user, free.")
  private List<String> exclusions = new ArrayList<>();

  @Option(
      names = {"-d", "--dump-level"},
      paramLabel = "LEVEL",
      description = "What to leave out as makedumpfile counts it: 0 to 31.",
      defaultValue = "0")
  private int level;

  @Option(names = "--running", description = "Do not stop a live guest for the dump.")
  private boolean running;

  @Option(
      names = "--qmp",
      paramLabel = "SOCKET",
      description = "The socket of QEMU's machine protocol, where it is not to be searched for.")
  private Path qmp;

  @Option(
      names = "--stub",
      paramLabel = "ADDRESS",
      description = "QEMU's gdb stub, where it is not to be searched for.")
  private String stub;

  @Option(names = "--resume", description = "Go on with the dump that was interrupted.")
  private boolean resume;

  @Option(
      names = {"-f", "--force"},
      description = "Replace a file that is there.")
  private boolean force;

  @Option(names = "--no-index", description = "Neither read nor write the index on disk.")
  private boolean noIndex;

  @Option(
      names = "--ignore-vmcoreinfo",
      description = "Find the kernel from CPU state and memory alone.")
  private boolean ignoreVmcoreinfo;

  @Option(
      names = {"-q", "--quiet"},
      description = "Say nothing but errors.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    var console = Console.standard();
    var options = options();
    boolean stream = output.equals("-");
    if (stream && System.console() != null && System.console().isTerminal()) {
      throw wrong("-o -: standard output is a terminal; send it to a pipe or file");
    }
    if (!stream) {
      checkNoSource(Path.of(output));
    }
    var stop = new Stop();
    var index = noIndex ? Optional.<Path>empty() : Folders.index();
    var progress = stop.over(console.progress());
    Runtime.getRuntime().addShutdownHook(stop.hook);
    try (var source = source(new KernelOptions(index, !ignoreVmcoreinfo, progress))) {
      source.target().warnings().forEach(this::warn);
      var job = new DumpJob(source.target(), source.kernel(), options, progress, this::warn);
      long start = System.nanoTime();
      var report =
          stream
              ? job.toStream("standard output", new FileOutputStream(FileDescriptor.out))
              : job.toFile(Path.of(output));
      console.progress().clear();
      if (!quiet) {
        console.err().append(text(report, System.nanoTime() - start)).append('\n');
        console.flush();
      }
      return 0;
    } catch (EvalException e) {
      if (!stop.asked.get()) {
        throw e;
      }
      console.progress().clear();
      console
          .err()
          .append("fathom: interrupted")
          .append(rest(output, stream || flattened))
          .append('\n');
      return Problems.INTERRUPTED;
    } finally {
      console.flush();
      stop.ended.countDown();
    }
  }

  /** What can be done after an interruption. */
  static String rest(String output, boolean stream) {
    Path part = Path.of(output + ".part");
    return stream || !Files.exists(part) ? "" : "; --resume goes on with " + part;
  }

  private void warn(String text) {
    if (!quiet) {
      Console.standard().warn(text);
    }
  }

  private DumpSource source(KernelOptions options) {
    if (!isAddress()) {
      return DumpSource.open(files(), options, this::warn);
    }
    var attach =
        new AttachOptions(!running, Optional.ofNullable(qmp), Optional.ofNullable(stub), TIMEOUT);
    return DumpSource.attach(targets.getFirst(), attach, options, this::warn);
  }

  /** A file of that name counts first. */
  private boolean isAddress() {
    return targets.size() == 1
        && !Files.exists(Path.of(targets.getFirst()))
        && DumpSource.isAddress(targets.getFirst());
  }

  private List<Path> files() {
    return targets.stream().map(Path::of).toList();
  }

  /** A dump is never replaced by what is made of it. */
  private void checkNoSource(Path file) throws IOException {
    for (Path source : files()) {
      if (Files.exists(file) && Files.exists(source) && Files.isSameFile(file, source)) {
        throw wrong(file + " is the dump that is read");
      }
    }
  }

  private DumpOptions options() {
    var kind = one(Format.class, "--format", format);
    Compression how =
        compression == null
            ? kind == Format.ELF ? Compression.NONE : Compression.ZSTD
            : one(Compression.class, "--compress", compression);
    if (kind == Format.ELF && how != Compression.NONE) {
      throw wrong("--compress: ELF dumps are not compressed; --format kdump is");
    }
    if (resume && (flattened || output.equals("-"))) {
      throw wrong("--resume: a flattened stream cannot be gone on with");
    }
    return new DumpOptions(kind, how, flattened, excluded(), resume, force);
  }

  private Set<Exclusion> excluded() {
    if (level < 0 || level > MAX_LEVEL) {
      throw wrong("--dump-level " + level + ", expected 0 to " + MAX_LEVEL);
    }
    var all = EnumSet.noneOf(Exclusion.class);
    for (var exclusion : Exclusion.values()) {
      if ((level & exclusion.bit()) != 0) {
        all.add(exclusion);
      }
    }
    for (String name : exclusions) {
      all.add(one(Exclusion.class, "--exclude", name));
    }
    return all;
  }

  private String text(DumpReport report, long nanos) {
    var text = new StringBuilder(output).append(": ");
    text.append(report.stored()).append(" of ").append(report.pages()).append(" pages");
    if (report.zero() > 0) {
      text.append(", ").append(report.zero()).append(" of zeros");
    }
    var left = new ArrayList<String>();
    for (var use : PageClasses.Use.values()) {
      if (report.excluded().containsKey(use)) {
        String name = use.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        left.add(report.excluded().get(use) + " " + name);
      }
    }
    if (!left.isEmpty()) {
      text.append("; left out: ").append(String.join(", ", left));
    }
    if (report.missing() > 0) {
      text.append("; missing before: ").append(report.missing());
    }
    if (report.unreadable() > 0) {
      text.append("; not readable: ").append(report.unreadable());
    }
    return text.append(
            String.format(
                Locale.ROOT,
                "; %.1f MiB in %.1f s",
                report.bytes() / (double) (1 << 20),
                nanos / 1e9))
        .toString();
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** The one of an enum that the user typed in lower case. */
  private <E extends Enum<E>> E one(Class<E> type, String option, String text) {
    var names = new ArrayList<String>();
    for (E value : type.getEnumConstants()) {
      String name = value.name().toLowerCase(Locale.ROOT);
      if (name.equals(text)) {
        return value;
      }
      names.add(name);
    }
    throw wrong(option + " " + text + ", expected one of " + String.join(", ", names));
  }

  /** Lets the job come to an end that it can be resumed from when the process is asked to end. */
  private static final class Stop {
    private final AtomicBoolean asked = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "stop");

    private void stop() {
      asked.set(true);
      try {
        if (!ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          throw new IllegalStateException("the dump did not come to an end");
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }

    Progress over(Progress shown) {
      return (what, done, total) -> {
        if (asked.get()) {
          throw new EvalException("interrupted");
        }
        shown.step(what, done, total);
      };
    }
  }
}
