// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Memory;
import java.util.ArrayDeque;

/**
 * Names of files, from {@code struct path} (include/linux/path.h) up through dentries and mounts to
 * the root of the mount tree, as {@code d_path()} makes them in the initial namespace.
 */
final class Paths {
  /** More components than PATH_MAX has room for. */
  private static final int DEPTH_LIMIT = 2048;

  private static final int NAME_LIMIT = 256;

  private final Memory memory;
  private final Layouts layouts;
  private final int pathMount;
  private final int pathDentry;
  private final int parent;
  private final int name;
  private final int inode;
  private final int inodeNumber;
  private final int superBlock;
  private final int mountInMount;
  private final int mountParent;
  private final int mountPoint;
  private final int mountRoot;

  /**
   * @throws dev.fathom.base.LookupException when the kernel's types are not known
   */
  Paths(Memory memory, Layouts layouts) {
    this.memory = memory;
    this.layouts = layouts;
    pathMount = layouts.need("path", "mnt").offset();
    pathDentry = layouts.need("path", "dentry").offset();
    parent = layouts.need("dentry", "d_parent").offset();
    name = layouts.need("dentry", "d_name.name").offset();
    inode = layouts.need("dentry", "d_inode").offset();
    superBlock = layouts.need("dentry", "d_sb").offset();
    inodeNumber = layouts.need("inode", "i_ino").offset();
    mountInMount = layouts.need("mount", "mnt").offset();
    mountParent = layouts.need("mount", "mnt_parent").offset();
    mountPoint = layouts.need("mount", "mnt_mountpoint").offset();
    mountRoot = layouts.need("vfsmount", "mnt_root").offset();
  }

  /** The name of the open file with that {@code struct file}. */
  String ofFile(long file) {
    return ofPath(file + layouts.need("file", "f_path").offset());
  }

  /** The name that the {@code struct path} at an address stands for. */
  String ofPath(long path) {
    long vfsmount = memory.u64(path + pathMount);
    long dentry = memory.u64(path + pathDentry);
    if (dentry == 0 || vfsmount == 0) {
      return "";
    }
    return of(dentry, vfsmount - mountInMount);
  }

  /** Where the {@code struct vfsmount} at an address is mounted. */
  String ofMount(long vfsmount) {
    return of(memory.u64(vfsmount + mountRoot), vfsmount - mountInMount);
  }

  /** The name of a dentry in what a {@code struct vfsmount} has mounted. */
  String ofDentry(long dentry, long vfsmount) {
    return of(dentry, vfsmount - mountInMount);
  }

  /** The name of a dentry within its file system. */
  String ofDentry(long start) {
    var parts = new ArrayDeque<String>();
    long dentry = start;
    for (int depth = 0; depth < DEPTH_LIMIT; depth++) {
      long up = memory.u64(dentry + parent);
      if (up == dentry) {
        return parts.isEmpty() ? alone(start) : "/" + String.join("/", parts);
      }
      parts.addFirst(memory.cString(memory.u64(dentry + name), NAME_LIMIT));
      dentry = up;
    }
    return ".../" + String.join("/", parts);
  }

  private String of(long start, long startMount) {
    var parts = new ArrayDeque<String>();
    long dentry = start;
    long mount = startMount;
    for (int depth = 0; depth < DEPTH_LIMIT; depth++) {
      long up = memory.u64(dentry + parent);
      if (dentry == memory.u64(mount + mountInMount + mountRoot) || up == dentry) {
        long upper = memory.u64(mount + mountParent);
        if (upper == mount || upper == 0) {
          return parts.isEmpty() ? alone(start) : "/" + String.join("/", parts);
        }
        dentry = memory.u64(mount + mountPoint);
        mount = upper;
      } else {
        parts.addFirst(memory.cString(memory.u64(dentry + name), NAME_LIMIT));
        dentry = up;
      }
    }
    return ".../" + String.join("/", parts);
  }

  /** A dentry without a parent: the root, or a file of a file system that is mounted nowhere. */
  private String alone(long dentry) {
    try {
      var own = memory.cString(memory.u64(dentry + name), NAME_LIMIT);
      if (own.equals("/")) {
        return own;
      }
      long type =
          memory.u64(
              memory.u64(dentry + superBlock) + layouts.need("super_block", "s_type").offset());
      var kind =
          memory.cString(
              memory.u64(type + layouts.need("file_system_type", "name").offset()), NAME_LIMIT);
      long number = memory.u64(memory.u64(dentry + inode) + inodeNumber);
      return switch (kind) {
        case "pipefs" -> "pipe:[" + number + "]";
        case "sockfs" -> "socket:[" + number + "]";
        case "anon_inodefs" -> "anon_inode:" + own;
        default -> "/" + own;
      };
    } catch (FathomException e) {
      return "? (" + e.getMessage() + ")";
    }
  }
}
