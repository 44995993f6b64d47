// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.format.kdump.KdumpHead;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.Progress;
import dev.fathom.session.dump.DumpOptions.Compression;
import dev.fathom.session.dump.DumpOptions.Exclusion;
import dev.fathom.session.dump.DumpOptions.Format;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes a dump of a target. A file is called {@code NAME.part} until it is whole; what an
 * interrupted job leaves under that name can be gone on with, else it leaves nothing. Used by the
 * target's thread.
 */
public final class DumpJob {
  /** So much is written at most before it can be gone on with. */
  private static final long CHECKPOINT = 256L << 20;

  /** So many pages tell dumps of one machine apart, with its CPUs' registers. */
  private static final int SAMPLES = 256;

  private final Target target;
  private final Optional<Kernel> kernel;
  private final DumpOptions options;
  private final Progress progress;
  private final Consumer<String> warnings;

  /**
   * @param kernel the kernel in the target, where one was found; without it no pages are left out
   *     for their use
   * @param progress told how far the job is; what it throws ends the job, which can be gone on with
   * @param warnings told what the user should know
   */
  public DumpJob(
      Target target,
      Optional<Kernel> kernel,
      DumpOptions options,
      Progress progress,
      Consumer<String> warnings) {
    this.target = target;
    this.kernel = kernel;
    this.options = options;
    this.progress = progress;
    this.warnings = warnings;
  }

  /**
   * Writes the dump to {@code out} as a flattened stream.
   *
   * @throws FathomException when the target cannot be read or the stream cannot be written
   */
  public DumpReport toStream(String name, OutputStream out) {
    var machine = Machine.of(target, kernel);
    return write(new StreamOutput(name, out), name, machine, Optional.empty());
  }

  /**
   * Writes the dump to {@code file}.
   *
   * @throws FathomException when the target cannot be read, or the file cannot be written or is in
   *     the way
   */
  public DumpReport toFile(Path file) {
    var machine = Machine.of(target, kernel);
    try (var output = FileOutput.open(file, options.resume(), options.force())) {
      var report =
          options.flattened()
              ? write(output.flattened(), file.toString(), machine, Optional.empty())
              : write(output, file.toString(), machine, Optional.of(output));
      output.commit();
      return report;
    }
  }

  private DumpReport write(
      Output output, String name, Machine machine, Optional<FileOutput> resumable) {
    try (var pipeline = new Pipeline(machine.physical(), compression())) {
      byte[] fingerprint = fingerprint(machine);
      if (options.resume()) {
        var file = resumable.orElseThrow();
        var writer = resumed(file, name, pipeline, fingerprint);
        if (target.find(Live.class).isPresent()) {
          warnings.accept(
              "pages below 0x"
                  + Long.toHexString(writer.next() << Selection.SHIFT)
                  + " are as they were when the dump was interrupted, the others as they are now");
        }
        return run(pipeline, output, name, writer);
      }
      var selection = select(name, machine);
      var writer =
          switch (options.format()) {
            case KDUMP ->
                KdumpDumpWriter.begin(
                    output, options, machine, selection, zeroPage(pipeline), fingerprint);
            case ELF -> {
              var sifted = sift(pipeline, selection);
              yield ElfDumpWriter.begin(output, machine, selection, sifted, fingerprint);
            }
          };
      if (resumable.isPresent()) {
        writer.checkpoint();
        resumable.get().stays();
      }
      return run(pipeline, output, name, writer);
    }
  }

  private static byte[] zeroPage(Pipeline pipeline) {
    return pipeline.packed(new byte[Selection.PAGE]);
  }

  private Compression compression() {
    return options.format() == Format.ELF ? Compression.NONE : options.compression();
  }

  private DumpReport run(Pipeline pipeline, Output output, String name, DumpWriter writer) {
    long total = writer.wanted().count(0);
    boolean canResume = output instanceof FileOutput;
    var steps = new Steps(writer, output, name, total, canResume);
    try {
      pipeline.run(writer.wanted(), writer.next(), steps);
      checkAlive();
      long size = writer.finish();
      output.finish(size);
    } catch (EvalException e) {
      // The user asked to stop: that much is done.
      if (canResume) {
        writer.checkpoint();
      }
      throw e;
    }
    var tally = writer.tally();
    return new DumpReport(
        writer.existing(),
        tally.stored,
        tally.zero,
        Map.copyOf(tally.excluded),
        tally.missing,
        tally.unreadable,
        tally.bytes + output.written());
  }

  /** What cannot be read of a target that is gone is not missing from its memory. */
  private void checkAlive() {
    boolean gone =
        target.find(Live.class).map(live -> live.state() == Live.State.GONE).orElse(false);
    if (gone) {
      throw new TargetException(target.info().name() + ": the target is gone");
    }
  }

  /** Writes batches, tells of them, and makes a checkpoint now and then. */
  private final class Steps implements Pipeline.Sink {
    private final DumpWriter writer;
    private final Output output;
    private final String what;
    private final long total;
    private final boolean canResume;
    private long done;
    private long saved;

    Steps(DumpWriter writer, Output output, String name, long total, boolean canResume) {
      this.writer = writer;
      this.output = output;
      this.what = "writing " + name;
      this.total = total;
      this.canResume = canResume;
      this.done = total - writer.wanted().count(writer.next());
    }

    @Override
    public void accept(Batch batch) {
      if (!batch.whole()) {
        checkAlive();
      }
      writer.accept(batch);
      done += batch.count;
      if (canResume && output.written() - saved > CHECKPOINT) {
        saved = output.written();
        writer.checkpoint();
      }
      progress.step(what, done, total);
    }
  }

  private DumpWriter resumed(
      FileOutput output, String name, Pipeline pipeline, byte[] fingerprint) {
    Path part = FileOutput.part(Path.of(name));
    return switch (options.format()) {
      case KDUMP -> {
        byte[] bytes = output.read(KdumpHead.SPARE, Checkpoint.BYTES);
        yield KdumpDumpWriter.resume(
            output,
            options,
            zeroPage(pipeline),
            checked(part, fingerprint, Checkpoint.read(bytes)));
      }
      case ELF -> {
        try (var mapped = MappedFile.open(part)) {
          var checkpoint = checked(part, fingerprint, ElfDumpWriter.checkpoint(mapped));
          yield ElfDumpWriter.resume(output, mapped, checkpoint);
        }
      }
    };
  }

  private static Checkpoint checked(
      Path part, byte[] fingerprint, Optional<Checkpoint> checkpoint) {
    if (checkpoint.isEmpty()) {
      throw new TargetException(part + ": nothing in it can be gone on with; -f starts again");
    }
    if (!MessageDigest.isEqual(checkpoint.get().fingerprint(), fingerprint)) {
      throw new TargetException(
          part + ": of another machine or moment, or with other options; -f starts again");
    }
    return checkpoint.get();
  }

  /**
   * What has to be the same for a dump to be gone on with: what is wanted, the kernel and its
   * memory, and for a dump, which does not change, the CPUs and some of its pages.
   */
  private byte[] fingerprint(Machine machine) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      String what = options.format() + " " + options.compression() + " " + options.level();
      digest.update(what.getBytes(StandardCharsets.UTF_8));
      var text = machine.vmcoreinfo();
      digest.update(machine.notes(), (int) text.start(), (int) text.length());
      for (Range range : machine.physical().ranges()) {
        digest.update(ByteBuffer.allocate(16).putLong(range.start()).putLong(range.end()).flip());
      }
      if (target.find(Live.class).isEmpty()) {
        digest.update(machine.notes());
        sample(machine.physical(), digest);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Pages from all over the memory; of one that cannot be read only that counts. */
  private static void sample(PhysicalMemory memory, MessageDigest digest) {
    var ranges =
        memory.ranges().stream()
            .filter(r -> Long.compareUnsigned(r.end() >>> Selection.SHIFT, Selection.MAX_PAGES) < 0)
            .toList();
    long total = ranges.stream().mapToLong(Range::length).sum();
    long step = Math.max(total / SAMPLES, Selection.PAGE);
    var page = new byte[Selection.PAGE];
    long skip = 0;
    for (Range range : ranges) {
      long at = skip;
      for (; at < range.length(); at += step) {
        long address = (range.start() + at) & -Selection.PAGE;
        int got = memory.read(address, MemorySegment.ofArray(page));
        digest.update(ByteBuffer.allocate(16).putLong(address).putLong(got).flip());
        digest.update(page, 0, got);
      }
      skip = at - range.length();
    }
  }

  private Selection select(String name, Machine machine) {
    var wantedUses = Selection.uses(options.excluded());
    var classes = wantedUses.isEmpty() ? Optional.<PageClasses>empty() : classes(wantedUses);
    var selection =
        Selection.of(name, machine.physical().ranges(), classes, options.excluded(), progress);
    classes.ifPresent(known -> known.remarks().forEach(warnings));
    return selection;
  }

  /** What pages are used for, or else a warning that nothing is left out for it. */
  private Optional<PageClasses> classes(Set<PageClasses.Use> wanted) {
    String why = "no known kernel was found";
    if (kernel.isPresent()) {
      try {
        var classes = kernel.get().pageClasses();
        if (classes.isPresent()) {
          return classes;
        }
        why = "that is not known of this kernel";
      } catch (FathomException e) {
        why = e.getMessage();
      }
    }
    var names = EnumSet.copyOf(wanted).toString().toLowerCase(Locale.ROOT);
    warnings.accept("pages are not left out for their use " + names + ": " + why);
    return Optional.empty();
  }

  /** Takes the pages that cannot be read, or are zeros to be left out, out of the selection. */
  private Tally sift(Pipeline pipeline, Selection selection) {
    boolean dropZeros = options.excluded().contains(Exclusion.ZERO);
    var tally = new Tally();
    long total = selection.wanted().count(0);
    var looked = new long[1];
    var pages = selection.wanted().copy();
    pipeline.run(
        pages,
        0,
        batch -> {
          if (!batch.whole()) {
            checkAlive();
          }
          for (int i = 0; i < batch.count; i++) {
            long page = batch.pages[i];
            switch (batch.fates[i]) {
              case STORED -> {}
              case ZERO -> {
                if (dropZeros) {
                  tally.zero++;
                  selection.wanted().clear(page);
                }
              }
              case MISSING -> {
                tally.missing++;
                selection.wanted().clear(page);
              }
              case UNMAPPED -> {
                selection.wanted().clear(page);
                selection.existing().clear(page);
              }
              case UNREADABLE -> {
                tally.unreadable++;
                selection.wanted().clear(page);
              }
            }
          }
          looked[0] += batch.count;
          progress.step("looking at all pages", looked[0], total);
        });
    return tally;
  }

  /** The words that {@code --exclude} takes. */
  public static List<String> exclusionNames() {
    return java.util.Arrays.stream(Exclusion.values())
        .map(e -> e.name().toLowerCase(Locale.ROOT))
        .toList();
  }
}
