// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.kernel.ProcessFiles;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Memory;
import dev.fathom.target.OpenFile;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Files of processes: {@code task_struct.fs} (include/linux/fs_struct.h), {@code task_struct.files}
 * with its {@code struct fdtable} (include/linux/fdtable.h).
 */
final class LinuxFiles implements ProcessFiles {
  private static final int WORD = 8;

  /** No process has more numbers for files than this (fs/file.c, sysctl_nr_open_max). */
  private static final long DESCRIPTOR_LIMIT = 1L << 31;

  private static final int NAME_LIMIT = 256;

  /** What {@code page.index} counts, on x86-64 and on 64-bit Arm as it is commonly built. */
  private static final int PAGE = 4096;

  /** Of a command line no more is read. */
  private static final int ARGUMENT_LIMIT = 1 << 12;

  /** The low bits of {@code page.mapping}: what is mapped is no file (PAGE_MAPPING_FLAGS). */
  private static final long NO_FILE = 3;

  private final Memory memory;
  private final Layouts layouts;
  private final UserMemory users;
  private final Paths paths;

  LinuxFiles(Memory memory, Layouts layouts, UserMemory users) {
    this.memory = memory;
    this.layouts = layouts;
    this.users = users;
    this.paths = new Paths(memory, layouts);
  }

  @Override
  public String directory(Task task) {
    return ofTask(task, "pwd");
  }

  @Override
  public String root(Task task) {
    return ofTask(task, "root");
  }

  private String ofTask(Task task, String member) {
    long fs = layouts.need("task_struct", "fs").at(memory, task.object().address());
    return fs == 0 ? "" : paths.ofPath(fs + layouts.need("fs_struct", member).offset());
  }

  @Override
  public String arguments(Task task) {
    var mm = users.mm(task.object().address());
    var space = users.space(task.object().address());
    if (mm.isEmpty() || space.isEmpty()) {
      return "";
    }
    long start = layouts.need("mm_struct", "arg_start").at(memory, mm.getAsLong());
    long end = layouts.need("mm_struct", "arg_end").at(memory, mm.getAsLong());
    int count = (int) Math.clamp(end - start, 0L, (long) ARGUMENT_LIMIT);
    var text = new String(space.get().bytes(start, count), StandardCharsets.ISO_8859_1);
    return (text.endsWith("\0") ? text.substring(0, text.length() - 1) : text).replace('\0', ' ');
  }

  @Override
  public OptionalLong object(Task task, long descriptor) {
    long files = layouts.need("task_struct", "files").at(memory, task.object().address());
    if (files == 0 || descriptor < 0 || descriptor >= DESCRIPTOR_LIMIT) {
      return OptionalLong.empty();
    }
    long table = layouts.need("files_struct", "fdt").at(memory, files);
    if (descriptor >= layouts.need("fdtable", "max_fds").at(memory, table)) {
      return OptionalLong.empty();
    }
    long file = memory.u64(layouts.need("fdtable", "fd").at(memory, table) + descriptor * WORD);
    return file == 0 ? OptionalLong.empty() : OptionalLong.of(file);
  }

  @Override
  public Optional<OpenFile> open(Task task, long descriptor) {
    var file = object(task, descriptor);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    long path = file.getAsLong() + layouts.need("file", "f_path").offset();
    long mount = layouts.need("path", "mnt").at(memory, path);
    return Optional.of(
        new OpenFile(
            paths.ofPath(path),
            mount == 0 ? "" : type(layouts.need("vfsmount", "mnt_sb").at(memory, mount)),
            mount == 0 ? "" : paths.ofMount(mount),
            layouts.need("file", "f_pos").at(memory, file.getAsLong()),
            layouts.need("file", "f_flags").at(memory, file.getAsLong())));
  }

  /** The type of a super block's file system. */
  private String type(long superBlock) {
    long type = layouts.need("super_block", "s_type").at(memory, superBlock);
    return memory.cString(layouts.need("file_system_type", "name").at(memory, type), NAME_LIMIT);
  }

  @Override
  public String path(long address) {
    return paths.ofPath(address);
  }

  @Override
  public Optional<OpenFile> ofPage(long page) {
    if (page == 0) {
      return Optional.empty();
    }
    long head = head(page);
    long mapping = layouts.need("page", "mapping").at(memory, head);
    if (mapping == 0 || (mapping & NO_FILE) != 0) {
      return Optional.empty();
    }
    long inode = layouts.need("address_space", "host").at(memory, mapping);
    long superBlock = inode == 0 ? 0 : layouts.need("inode", "i_sb").at(memory, inode);
    if (superBlock == 0) {
      return Optional.empty();
    }
    var mount = mount(superBlock);
    var dentry = dentry(inode);
    if (dentry.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new OpenFile(
            mount.isPresent()
                ? paths.ofDentry(dentry.getAsLong(), mount.getAsLong())
                : paths.ofDentry(dentry.getAsLong()),
            type(superBlock),
            mount.isPresent() ? paths.ofMount(mount.getAsLong()) : "",
            index(head, page) * PAGE,
            0));
  }

  /**
   * The first page of a compound one: the low bit of {@code compound_head} says that it has one.
   */
  private long head(long page) {
    long head = layouts.need("page", "compound_head").at(memory, page);
    return (head & 1) != 0 ? head - 1 : page;
  }

  /**
   * The place of a page in its file, in pages. Of a compound one only the first page has a number
   * (include/linux/pagemap.h, page_to_index()).
   */
  private long index(long head, long page) {
    long first = layouts.need("page", "index", "__folio_index").at(memory, head);
    if (page == head) {
      return first;
    }
    int size =
        layouts.size("page").orElseThrow(() -> new LookupException("size of type", "struct page"));
    return first + (page - head) / size;
  }

  /** The first name of an inode: {@code i_dentry} lists them by {@code d_alias}. */
  private OptionalLong dentry(long inode) {
    long first = layouts.need("inode", "i_dentry.first").at(memory, inode);
    return first == 0
        ? OptionalLong.empty()
        : OptionalLong.of(first - layouts.need("dentry", "d_u.d_alias", "d_alias").offset());
  }

  /**
   * The first place at which a super block is mounted, as the address of its {@code struct
   * vfsmount}: {@code s_mounts} is the head of a list of {@code mount.mnt_instance}, since 6.18 the
   * first mount itself.
   */
  private OptionalLong mount(long superBlock) {
    try {
      int inMount = layouts.need("mount", "mnt").offset();
      var listed = layouts.find("mount", "mnt_instance");
      if (listed.isEmpty()) {
        long mount = layouts.need("super_block", "s_mounts").at(memory, superBlock);
        return mount == 0 ? OptionalLong.empty() : OptionalLong.of(mount + inMount);
      }
      long head = superBlock + layouts.need("super_block", "s_mounts").offset();
      long first = memory.u64(head);
      return first == head || first == 0
          ? OptionalLong.empty()
          : OptionalLong.of(first - listed.get().offset() + inMount);
    } catch (FathomException _) {
      return OptionalLong.empty(); // The name within the file system is told without it.
    }
  }
}
