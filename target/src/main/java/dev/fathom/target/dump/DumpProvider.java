// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.base.UsageException;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.flattened.FlattenedImage;
import dev.fathom.format.kdump.KdumpFile;
import dev.fathom.format.kdump.KdumpHeader;
import dev.fathom.target.Target;
import dev.fathom.target.TargetProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Opens crash dumps, core files of processes and programs, recognised by their first bytes. Behind
 * a core the program may be given.
 */
public final class DumpProvider implements TargetProvider {
  @Override
  public String name() {
    return "dump";
  }

  /**
   * @throws BadDataException when a file is no dump that is read here; its message says what the
   *     file is instead, where that can be told
   * @throws dev.fathom.base.TargetException when a file cannot be opened
   */
  @Override
  public Target open(List<Path> files) {
    if (files.isEmpty()) {
      throw new UsageException("no dump given");
    }
    var mapped = new ArrayList<MappedFile>();
    try {
      mapped.add(MappedFile.open(files.getFirst()));
      if (files.size() <= 2) {
        var executable = files.size() == 2 ? Optional.of(files.get(1)) : Optional.<Path>empty();
        var core = ProcessCore.open(mapped.getFirst(), executable);
        if (core.isPresent()) {
          return core.get();
        }
      }
      if (files.size() == 1) {
        var program = ProgramFile.open(mapped.getFirst());
        if (program.isPresent()) {
          return program.get();
        }
      }
      for (Path file : files.subList(1, files.size())) {
        mapped.add(MappedFile.open(file));
      }
      return openSources(mapped);
    } catch (FathomException e) {
      closeAll(mapped);
      throw e;
    }
  }

  /** Opens dumps that are already bytes; the target closes those that are mapped files. */
  static Target openSources(List<? extends ByteSource> files) {
    var warnings = new ArrayList<String>();
    var sources = new ArrayList<ByteSource>();
    boolean flattened = false;
    for (ByteSource file : files) {
      if (FlattenedImage.matches(file)) {
        FlattenedImage image = FlattenedImage.open(file);
        flattened = true;
        if (!image.complete()) {
          warnings.add(
              file.name()
                  + ": truncated: the flattened stream has no end mark, it stops at 0x"
                  + Long.toHexString(image.streamEnd()));
        }
        sources.add(image);
      } else {
        sources.add(file);
      }
    }
    return new DumpTarget(files, contents(sources), flattened, warnings);
  }

  private static Contents contents(List<ByteSource> sources) {
    ByteSource first = sources.get(0);
    if (KdumpHeader.matches(first)) {
      var parts = new ArrayList<KdumpFile>();
      for (ByteSource source : sources) {
        parts.add(KdumpFile.open(source));
      }
      return KdumpDump.open(parts);
    }
    if (!ElfFile.matches(first)) {
      throw ForeignFiles.error(first);
    }
    if (sources.size() > 1) {
      throw new BadDataException(
          sources.get(1).name(),
          0,
          "second file after an ELF dump, expected one; only kdump-compressed dumps are split");
    }
    return ElfDump.open(first);
  }

  private static void closeAll(List<MappedFile> files) {
    for (MappedFile file : files) {
      file.close();
    }
  }
}
