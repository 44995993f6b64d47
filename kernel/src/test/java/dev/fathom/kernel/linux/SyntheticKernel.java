// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Readability;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.Paging;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import dev.fathom.target.VirtualMemory;
import dev.fathom.testkit.KallsymsWriter;
import dev.fathom.testkit.ModuleKallsymsWriter;
import dev.fathom.testkit.VmcoreinfoWriter;
import dev.fathom.testkit.arch.X86PageTableWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The memory of a machine with a small Linux in it, written byte by byte: page tables, symbols,
 * types, tasks, a module, a log. Two eras of the kernel differ in every member that the model
 * probes.
 */
final class SyntheticKernel {
  /** Which of the alternatives of layout the kernel has. */
  enum Era {
    /** As 4.19 to 5.4 did, with BTF all the same. */
    OLD,
    /** As 6.4 and later do. */
    NEW
  }

  static final String RELEASE = "6.4.0-test";
  static final long IMAGE = 0xffff_ffff_8400_0000L;
  static final long IMAGE_PHYSICAL = 0x40_0000;
  private static final int IMAGE_BYTES = 6 << 20;
  private static final int RAM_BYTES = 16 << 20;
  private static final long VMCOREINFO_PAGE = 0x10_0000;
  private static final long HEAP = 0xb0_0000;
  private static final long TEXT = IMAGE + 0x1000;
  static final long MODULE = 0xffff_ffff_c000_0000L;
  private static final long MODULE_PHYSICAL = 0x20_0000;
  private static final long IDT = 0xffff_fe00_0000_0000L;
  private static final long IDT_PHYSICAL = 0x30_0000;
  private static final long USER_PHYSICAL = 0x31_0000;
  private static final long USER_ROOT = 0x32_0000;
  private static final int STACK_BYTES = 16 << 10;

  final Era era;
  final int levels;

  /** Where physical address 0 is mapped. */
  final long direct;

  final Ram ram = new Ram(RAM_BYTES);
  final TypesText types = new TypesText();
  final Map<String, Long> symbols = new HashMap<>();
  final Map<Integer, Long> tasks = new HashMap<>();
  final X86PageTableWriter tables;

  /** Numbers that VMCOREINFO states beside the usual ones. */
  final Map<String, Long> noted = new HashMap<>();

  byte[] vmcoreinfo;
  private long data = IMAGE + 0x10_0000;
  private long heap;
  private long page;
  private long lastTask;
  private long initSignal;

  SyntheticKernel(Era era, int levels) {
    this(era, levels, IMAGE_PHYSICAL + 0x30_0000);
  }

  /** With {@code swapper_pg_dir} at a physical address of its own. */
  SyntheticKernel(Era era, int levels, long root) {
    this(era, levels, root, usualDirect(levels), _ -> {});
  }

  /** With the direct map {@code distance} bytes from where it usually is. */
  static SyntheticKernel moved(int levels, long distance) {
    return new SyntheticKernel(
        Era.NEW, levels, IMAGE_PHYSICAL + 0x30_0000, usualDirect(levels) + distance, _ -> {});
  }

  private static long usualDirect(int levels) {
    return levels == 5 ? 0xff11_0000_0000_0000L : 0xffff_8880_0000_0000L;
  }

  /** With what {@code more} adds before types, symbols and page tables are written. */
  SyntheticKernel(Era era, int levels, Consumer<SyntheticKernel> more) {
    this(era, levels, IMAGE_PHYSICAL + 0x30_0000, usualDirect(levels), more);
  }

  private SyntheticKernel(
      Era era, int levels, long root, long direct, Consumer<SyntheticKernel> more) {
    this.era = era;
    this.levels = levels;
    this.direct = direct;
    this.heap = direct + HEAP;
    this.tables = new X86PageTableWriter(levels, root);
    types();
    mapMemory();
    variables();
    cpus();
    // swapper/0, init with a second thread, a kernel thread, a zombie.
    initTask();
    task(1, 1, 0, 0x1, 0, "init");
    thread(7, 1, 0x0, "init-worker");
    task(2, 2, 0, 0x402, 0x20_0000, "kthreadd");
    task(30, 30, 1, 0, 0, "gone");
    put4(tasks.get(30) + types.offset("task_struct.exit_state"), 0x20);
    module();
    log();
    files();
    more.accept(this);
    if (types.members("page").isEmpty()) {
      types.struct(
          "page 64: compound_head long unsigned int 8, mapping * 24, index long unsigned int 32");
    }
    tables();
  }

  private void types() {
    boolean old = era == Era.OLD;
    types
        .struct("list_head 16: next * 0, prev * 8")
        .struct("hlist_node 16: next * 0, pprev * 8")
        .struct("rb_node 24: __rb_parent_color long unsigned int 0, rb_right * 8, rb_left * 16")
        .struct("atomic_t 4: counter int 0")
        .struct("atomic_long_t 8: counter long int 0")
        .struct("new_utsname 390: sysname char[65] 0, nodename char[65] 65, release char[65] 130")
        .struct("uts_namespace 400: name new_utsname 4")
        .struct("signal_struct 32: thread_head list_head 8")
        .struct(
            "inactive_task_frame 56: r15 long unsigned int 0, r14 long unsigned int 8, r13 long unsigned int 16, r12 long unsigned int 24, bx long unsigned int 32, bp long unsigned int 40, ret_addr long unsigned int 48")
        .struct(
            "rq 64: nr_running unsigned int 0, nr_switches long unsigned int 8, curr * 16, idle * 24")
        .struct("mod_kallsyms 32: symtab * 0, num_symtab unsigned int 8, strtab * 16, typetab * 24")
        .struct("qstr 16: len unsigned int 4, name * 8")
        .struct("path 16: mnt * 0, dentry * 8")
        .struct(
            "dentry 64: d_parent * 8, d_name qstr 16, d_inode * 32, d_sb * 40, d_alias hlist_node"
                + " 48")
        .struct("hlist_head 8: first * 0")
        .struct("inode 48: i_ino long unsigned int 8, i_sb * 16, i_dentry hlist_head 24")
        .struct("super_block 32: s_type * 8, s_mounts list_head 16")
        .struct("file_system_type 24: name * 0, next * 8")
        .struct("vfsmount 16: mnt_root * 0, mnt_sb * 8")
        .struct(
            "mount 48: mnt_parent * 0, mnt_mountpoint * 8, mnt vfsmount 16, mnt_instance"
                + " list_head 32")
        .struct("file 48: f_path path 16, f_pos long int 32, f_flags unsigned int 40")
        .struct("fs_struct 40: root path 8, pwd path 24")
        .struct("files_struct 16: fdt * 8")
        .struct("fdtable 16: max_fds unsigned int 0, fd * 8")
        .struct("address_space 16: host * 8")
        .struct(
            "vm_area_struct 64: vm_start long unsigned int 0, vm_end long unsigned int 8, vm_next *"
                + " 16, vm_flags long unsigned int 24, vm_file * 32, vm_ops * 40, vm_private_data * 48")
        .struct("spinlock_t 4: slock unsigned int 0");
    if (old) {
      types
          .struct("thread_struct 16: sp long unsigned int 8")
          .struct("radix_tree_root 16: rnode * 8")
          .struct("task_rss_stat 20: events int 0, count int[4] 4")
          .struct("mm_rss_stat 32: count atomic_long_t[4] 0")
          .struct("radix_tree_node 576: shift unsigned char 0, slots *[64] 40")
          .struct(
              "task_struct 256: state long int 0, stack * 8, flags unsigned int 16, cpu unsigned int"
                  + " 20, tasks list_head 24, pid int 40, tgid int 44, real_parent * 48, signal *"
                  + " 56, exit_state int 64, thread_node list_head 72, comm char[16] 88, mm * 104,"
                  + " children list_head 112, sibling list_head 128, thread thread_struct 160,"
                  + " rss_stat task_rss_stat 176, fs * 200, files * 208")
          .struct("module_layout 16: base * 0, size unsigned int 8")
          .struct(
              "module 256: state unsigned int 0, list list_head 8, name char[56] 24, core_layout"
                  + " module_layout 80, init_layout module_layout 96, kallsyms * 112, core_kallsyms"
                  + " mod_kallsyms 120, refcnt atomic_t 160, notes_attrs * 168")
          .struct("bin_attribute 64: size long unsigned int 16, private * 24")
          .struct("module_notes_attrs 16: notes unsigned int 8, attrs bin_attribute[0] 16")
          .struct(
              "mm_struct 128: mmap * 0, pgd * 8, start_brk long unsigned int 16, brk long unsigned"
                  + " int 24, start_stack long unsigned int 32, total_vm long unsigned int 40,"
                  + " rss_stat mm_rss_stat 48, arg_start long unsigned int 80, arg_end long"
                  + " unsigned int 88")
          .struct(
              "printk_log 16: ts_nsec long unsigned int 0, len short unsigned int 8, text_len short"
                  + " unsigned int 10, dict_len short unsigned int 12, facility unsigned char 14");
    } else {
      types
          .struct("thread_info 24: flags long unsigned int 0, cpu unsigned int 16")
          .struct("thread_struct 16: sp long unsigned int 8")
          .struct("xarray 16: xa_head * 8")
          .struct("percpu_counter 32: count long int 8, counters * 24")
          .struct("xa_node 576: shift unsigned char 0, slots *[64] 40")
          .struct("maple_tree 16: ma_flags unsigned int 4, ma_root * 8")
          .struct("maple_range_64 256: pivot long unsigned int[15] 8, slot *[16] 128")
          .struct("maple_arange_64 256: pivot long unsigned int[9] 8, slot *[10] 80")
          .struct("pcpu_hot 64: current_task * 0")
          .struct(
              "task_struct 256: thread_info thread_info 0, __state unsigned int 24, stack * 32, flags"
                  + " unsigned int 40, tasks list_head 48, pid int 64, tgid int 68, real_parent * 72,"
                  + " signal * 80, exit_state int 88, thread_node list_head 96, comm char[16] 112, mm"
                  + " * 128, children list_head 136, sibling list_head 152, thread thread_struct 200,"
                  + " fs * 216, files * 224")
          .struct("module_memory 16: base * 0, size unsigned int 8")
          .struct(
              "module 320: state unsigned int 0, list list_head 8, name char[56] 24, mem"
                  + " module_memory[7] 80, kallsyms * 200, core_kallsyms mod_kallsyms 208, refcnt"
                  + " atomic_t 240, build_id unsigned char[20] 244")
          .struct(
              "mm_struct 208: mm_mt maple_tree 0, pgd * 16, start_brk long unsigned int 24, brk long"
                  + " unsigned int 32, start_stack long unsigned int 40, total_vm long unsigned int"
                  + " 48, rss_stat percpu_counter[4] 56, arg_start long unsigned int 192, arg_end"
                  + " long unsigned int 200")
          .struct("prb_data_blk_lpos 16: begin long unsigned int 0, next long unsigned int 8")
          .struct("prb_desc 24: state_var atomic_long_t 0, text_blk_lpos prb_data_blk_lpos 8")
          .struct(
              "prb_desc_ring 48: count_bits unsigned int 0, descs * 8, infos * 16, head_id"
                  + " atomic_long_t 24, tail_id atomic_long_t 32")
          .struct("prb_data_ring 32: size_bits unsigned int 0, data * 8")
          .struct(
              "printk_ringbuffer 88: desc_ring prb_desc_ring 0, text_data_ring prb_data_ring 48")
          .struct(
              "printk_info 88: seq long unsigned int 0, ts_nsec long unsigned int 8, text_len short"
                  + " unsigned int 16, facility unsigned char 18");
    }
  }

  private void mapMemory() {
    long large = 2 << 20;
    for (long at = 0; at < IMAGE_BYTES; at += large) {
      tables.map(IMAGE + at, IMAGE_PHYSICAL + at, large, 0x163);
    }
    for (long at = 0; at < RAM_BYTES; at += large) {
      tables.map(direct + at, at, large, 0x163);
    }
    for (long at = 0; at < 0x4000; at += 4096) {
      tables.map(MODULE + at, MODULE_PHYSICAL + at, 4096, 0x163);
    }
    tables.map(IDT, IDT_PHYSICAL, 4096, 0x161);
    tables.map(0xffff_ffff_ff00_0000L, IDT_PHYSICAL, 4096, 0x163);
    var gate =
        ByteBuffer.allocate(16)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort((short) TEXT)
            .putShort((short) 0x10)
            .putShort((short) 0x8e00)
            .putShort((short) (TEXT >> 16))
            .putInt((int) (TEXT >> 32));
    ram.put(IDT_PHYSICAL, gate.array());
  }

  /** The physical address behind one of this kernel's virtual ones. */
  long physical(long virtual) {
    if (virtual >= IMAGE && virtual < IMAGE + IMAGE_BYTES) {
      return virtual - IMAGE + IMAGE_PHYSICAL;
    }
    return virtual >= MODULE ? virtual - MODULE + MODULE_PHYSICAL : virtual - direct;
  }

  void put(long address, byte[] bytes) {
    ram.put(physical(address), bytes);
  }

  void put8(long address, long value) {
    put(address, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  void put4(long address, int value) {
    put(address, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  void putText(long address, String text) {
    put(address, (text + "\0").getBytes(StandardCharsets.UTF_8));
  }

  /** Room for a variable of the kernel. */
  long variable(String name, int bytes) {
    long at = data;
    data += (bytes + 63) & -64;
    symbols.put(name, at);
    return at;
  }

  /** Room in the direct map. */
  long allocate(int bytes, int alignment) {
    heap = (heap + alignment - 1) & -alignment;
    long at = heap;
    heap += bytes;
    return at;
  }

  long text(String text) {
    long at = allocate(text.length() + 1, 8);
    putText(at, text);
    return at;
  }

  /** Makes {@code node} the last of the list at {@code head}. */
  void append(long head, long node) {
    var at = ByteBuffer.wrap(ram.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    long last = at.getLong((int) physical(head) + 8);
    put8(last, node);
    put8(node, head);
    put8(node + 8, last);
    put8(head + 8, node);
  }

  void emptyList(long head) {
    put8(head, head);
    put8(head + 8, head);
  }

  private void variables() {
    symbols.put("_text", IMAGE);
    symbols.put("_stext", IMAGE);
    symbols.put("do_things", TEXT);
    symbols.put("f0123456789", TEXT + 0x100);
    symbols.put("_etext", IMAGE + 0x8_0000);
    symbols.put("_end", IMAGE + IMAGE_BYTES);
    symbols.put("swapper_pg_dir", tables.root() - IMAGE_PHYSICAL + IMAGE);
    symbols.put("init_top_pgt", tables.root() - IMAGE_PHYSICAL + IMAGE);
    putText(variable("linux_banner", 128), "Linux version " + RELEASE + " (test)\n");
    long uts = variable("init_uts_ns", 400) + 4;
    putText(uts, "Linux");
    putText(uts + 65, "node");
    putText(uts + 130, RELEASE);
    putText(uts + 195, "#1 SMP");
    putText(uts + 260, "x86_64");
    put8(variable("page_offset_base", 8), direct);
    put4(variable("panic_cpu", 4), -1);
    put8(variable("tainted_mask", 8), 1 << 12);
    put8(variable("saved_command_line", 8), text("console=ttyS0 quiet "));
    emptyList(variable("modules", 16));
  }

  private long perCpu(int cpu) {
    return direct + 0xc0_0000 + cpu * 0x1_0000L;
  }

  private void cpus() {
    put8(variable("__cpu_possible_mask", 8), 3);
    put8(variable("__cpu_online_mask", 8), 3);
    long offsets = variable("__per_cpu_offset", 16);
    symbols.put("__per_cpu_start", 0L);
    symbols.put("runqueues", 0x1000L);
    symbols.put(era == Era.OLD ? "current_task" : "pcpu_hot", 0x2000L);
    symbols.put("__per_cpu_end", 0x3000L);
    for (int cpu = 0; cpu < 2; cpu++) {
      put8(offsets + cpu * 8L, perCpu(cpu));
      long idle = allocate(256, 64);
      tasks.put(-cpu, idle);
      put8(perCpu(cpu) + 0x1000 + 16, idle);
      put8(perCpu(cpu) + 0x1000 + 24, idle);
      put4(perCpu(cpu) + 0x1000, cpu + 3);
      put8(perCpu(cpu) + 0x2000, idle);
    }
  }

  private int at(String member) {
    return types.offset("task_struct." + member);
  }

  private void fill(
      long task, int id, int process, long parent, int state, int flags, String name) {
    if (era == Era.OLD) {
      put8(task + at("state"), state);
      put4(task + at("cpu"), 1);
    } else {
      put4(task + at("__state"), state);
      put4(task + at("thread_info") + types.offset("thread_info.cpu"), 1);
    }
    put4(task + at("pid"), id);
    put4(task + at("tgid"), process);
    put4(task + at("flags"), flags);
    put8(task + at("real_parent"), parent);
    putText(task + at("comm"), name);
    emptyList(task + at("children"));
    emptyList(task + at("sibling"));
    long stack = allocate(STACK_BYTES, STACK_BYTES);
    put8(task + at("stack"), stack);
    long sp = stack + STACK_BYTES - 0x100;
    put8(task + at("thread") + types.offset("thread_struct.sp"), sp);
    put8(sp + 40, 0xb0b0);
    put8(sp + 48, TEXT + 0x55);
  }

  /** CPU 0's idle task is {@code init_task}, in the image; the list of tasks begins at it. */
  private void initTask() {
    long task = variable("init_task", 256);
    tasks.put(0, task);
    for (int cpu = 0; cpu < 2; cpu++) {
      long idle = cpu == 0 ? task : tasks.get(-1);
      fill(idle, 0, 0, idle, 0, 0x20_0000, "swapper/" + cpu);
      put8(perCpu(cpu) + 0x1000 + 16, idle);
      put8(perCpu(cpu) + 0x1000 + 24, idle);
      put8(perCpu(cpu) + 0x2000, idle);
    }
    emptyList(task + at("tasks"));
    lastTask = task;
  }

  private void task(int id, int process, int parent, int state, int flags, String name) {
    long task = allocate(256, 4096);
    long father = tasks.get(parent);
    tasks.put(id, task);
    fill(task, id, process, father, state, flags, name);
    append(tasks.get(0) + at("tasks"), task + at("tasks"));
    append(father + at("children"), task + at("sibling"));
    long signal = allocate(32, 64);
    emptyList(signal + 8);
    append(signal + 8, task + at("thread_node"));
    put8(task + at("signal"), signal);
    if (id == 1) {
      initSignal = signal;
    }
    lastTask = task;
  }

  private void thread(int id, int process, int state, String name) {
    long task = allocate(256, 64);
    tasks.put(id, task);
    fill(task, id, process, tasks.get(0), state, 0, name);
    append(initSignal + 8, task + at("thread_node"));
    put8(task + at("signal"), initSignal);
    lastTask = task;
  }

  /** Makes a task current on a CPU. */
  void run(int id, int cpu) {
    put8(perCpu(cpu) + 0x1000 + 16, tasks.get(id));
    put8(perCpu(cpu) + 0x2000, tasks.get(id));
  }

  private void module() {
    long module = MODULE + 0x3000;
    putText(module + types.offset("module.name"), "testmod");
    append(symbols.get("modules"), module + types.offset("module.list"));
    put4(module + types.offset("module.refcnt"), 3);
    if (era == Era.OLD) {
      put8(module + types.offset("module.core_layout"), MODULE);
      put4(module + types.offset("module.core_layout") + 8, 0x4000);
      put8(module + types.offset("module.notes_attrs"), moduleNotes());
    } else {
      put8(module + types.offset("module.mem"), MODULE);
      put4(module + types.offset("module.mem") + 8, 0x3000);
      put8(module + types.offset("module.mem") + 16, MODULE + 0x3000);
      put4(module + types.offset("module.mem") + 24, 0x1000);
      put(module + types.offset("module.build_id"), new byte[] {(byte) 0xab, 1});
    }
    var table =
        new ModuleKallsymsWriter()
            .symbol('t', MODULE + 0x40, 0x20, "testmod_read")
            .symbol('d', MODULE + 0x3000, 0x100, "__this_module");
    long symtab = allocate(table.symtab().length, 8);
    put(symtab, table.symtab());
    long strtab = allocate(table.strtab().length, 8);
    put(strtab, table.strtab());
    long typetab = allocate(table.typetab().length, 8);
    put(typetab, table.typetab());
    long kallsyms = module + types.offset("module.core_kallsyms");
    put8(module + types.offset("module.kallsyms"), kallsyms);
    put8(kallsyms, symtab);
    put4(kallsyms + 8, 3);
    put8(kallsyms + 16, strtab);
    put8(kallsyms + 24, typetab);
  }

  /** Two sections of notes, the second with the build-id, as kernels before 5.14 keep them. */
  private long moduleNotes() {
    long other = allocate(20, 4);
    put4(other, 4);
    put4(other + 4, 4);
    put4(other + 8, 7);
    putText(other + 12, "Foo");
    long own = allocate(36, 4);
    put4(own, 4);
    put4(own + 4, 20);
    put4(own + 8, 3);
    putText(own + 12, "GNU");
    put(own + 16, new byte[] {(byte) 0xab, 1});
    long attributes = allocate(16 + 2 * 64, 8);
    put4(attributes + 8, 2);
    put8(attributes + 16 + 16, 20);
    put8(attributes + 16 + 24, other);
    put8(attributes + 16 + 64 + 16, 36);
    put8(attributes + 16 + 64 + 24, own);
    return attributes;
  }

  private void log() {
    var messages =
        List.of(
            "Linux version " + RELEASE,
            "BUG: kernel NULL pointer dereference, address: 0000000000000000",
            "RIP: 0010:do_things+0x55/0x80",
            "Kernel panic - not syncing: Fatal exception");
    if (era == Era.OLD) {
      long buffer = allocate(4096, 64);
      int at = 0;
      for (int i = 0; i < messages.size(); i++) {
        byte[] text = messages.get(i).getBytes(StandardCharsets.UTF_8);
        int length = (16 + text.length + 7) & -8;
        var record = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(i * 1_000_000L).putShort((short) length).putShort((short) text.length);
        record.putShort((short) 0).put((byte) 0).put((byte) (i << 5)).put(text);
        put(buffer + at, record.array());
        at += length;
      }
      put8(variable("log_buf", 8), buffer);
      put4(variable("log_buf_len", 4), 4096);
      put4(variable("log_first_idx", 4), 0);
      put4(variable("log_next_idx", 4), at);
      return;
    }
    long ring = variable("printk_rb_static", 88);
    put8(variable("prb", 8), ring);
    long descs = allocate(8 * 24, 64);
    long infos = allocate(8 * 88, 64);
    long text = allocate(512, 64);
    put4(ring, 3);
    put8(ring + 8, descs);
    put8(ring + 16, infos);
    // The ids begin high, so that they wrap around in the ring; so do the places of the text.
    long first = 0x3fff_ffff_ffff_fffeL - 1;
    put8(ring + 32, first);
    put8(ring + 24, first + messages.size() - 1);
    put4(ring + 48, 9);
    put8(ring + 56, text);
    long place = 512L * 7 + 400;
    for (int i = 0; i < messages.size(); i++) {
      byte[] message = messages.get(i).getBytes(StandardCharsets.UTF_8);
      long id = (first + i) & 0x3fff_ffff_ffff_ffffL;
      int slot = (int) (id & 7);
      int length = (8 + message.length + 7) & -8;
      long begin = place;
      boolean wraps = begin / 512 != (begin + length - 1) / 512;
      long next = wraps ? (begin / 512 + 1) * 512 + length : begin + length;
      long at = text + (wraps ? 0 : begin % 512);
      put8(at, id);
      put(at + 8, message);
      put8(descs + slot * 24L, id | (2L << 62));
      put8(descs + slot * 24L + 8, begin);
      put8(descs + slot * 24L + 16, next);
      put8(infos + slot * 88L, i);
      put8(infos + slot * 88L + 8, i * 1_000_000L);
      put4(infos + slot * 88L + 16, message.length | i << 29);
      place = next;
    }
  }

  /** A table of open files. */
  private long open(long... files) {
    long numbers = allocate(8 * files.length, 64);
    for (int i = 0; i < files.length; i++) {
      put8(numbers + 8L * i, files[i]);
    }
    long table = allocate(16, 64);
    put4(table, files.length);
    put8(table + 8, numbers);
    long all = allocate(16, 64);
    put8(all + 8, table);
    return all;
  }

  /**
   * Gives a file two pages of content, the second of which is {@link #page}'s tail, whose own index
   * the kernel leaves as it is.
   */
  private void content(long dentry, long mount) {
    long type = allocate(24, 64);
    put8(type, text("ext4"));
    long superBlock = allocate(32, 64);
    put8(superBlock + 8, type);
    put8(superBlock + 16, mount + 32);
    put8(mount + 32, superBlock + 16);
    put8(mount + 16 + 8, superBlock);
    long inode = allocate(48, 64);
    put8(inode + 16, superBlock);
    put8(inode + 24, dentry + 48);
    put8(dentry + 32, inode);
    long mapping = allocate(16, 64);
    put8(mapping + 8, inode);
    page = allocate(128, 64);
    put8(page + 24, mapping);
    put8(page + 32, 6);
    put8(page + 64 + 8, page | 1);
    put8(page + 64 + 32, 0xdead_0000_0000_0400L);
  }

  /** The structure of a page with content of init's program. */
  long page() {
    return page;
  }

  /** Gives init a memory of two mappings, the first of the file {@code /mnt/bin/init}. */
  private void files() {
    long rootDentry = dentry("/", 0);
    long mountDentry = dentry("mnt", rootDentry);
    long otherRoot = dentry("/", 0);
    long bin = dentry("bin", otherRoot);
    long init = dentry("init", bin);
    long rootMount = allocate(48, 64);
    put8(rootMount, rootMount);
    put8(rootMount + 8, rootDentry);
    put8(rootMount + 16, rootDentry);
    long mount = allocate(48, 64);
    put8(mount, rootMount);
    put8(mount + 8, mountDentry);
    put8(mount + 16, otherRoot);
    long file = allocate(48, 64);
    put8(file + 16, mount + 16);
    put8(file + 24, init);
    put8(file + 32, 77);
    put4(file + 40, 0x8002);
    content(init, mount);
    long directories = allocate(40, 64);
    put8(directories + 8, rootMount + 16);
    put8(directories + 16, rootDentry);
    put8(directories + 24, mount + 16);
    put8(directories + 32, bin);
    put8(tasks.get(1) + at("fs"), directories);
    put8(tasks.get(1) + at("files"), open(0, file));

    var user = new X86PageTableWriter(levels, USER_ROOT);
    user.map(0x40_0000, USER_PHYSICAL, 4096, 0x67);
    user.tables().forEach(ram::put);
    ram.put(USER_PHYSICAL, "\177ELF".getBytes(StandardCharsets.ISO_8859_1));

    long mm = allocate(208, 64);
    size(mm);
    put8(tasks.get(1) + at("mm"), mm);
    put8(tasks.get(7) + at("mm"), mm);
    put8(mm + types.offset("mm_struct.pgd"), direct + user.root());
    ram.put(USER_PHYSICAL + 0x100, "init\0-x\0".getBytes(StandardCharsets.ISO_8859_1));
    put8(mm + types.offset("mm_struct.arg_start"), 0x40_0100);
    put8(mm + types.offset("mm_struct.arg_end"), 0x40_0108);
    put8(mm + types.offset("mm_struct.start_brk"), 0x50_0000);
    put8(mm + types.offset("mm_struct.brk"), 0x50_1000);
    long text = area(0x40_0000, 0x40_2000, 0x5, file);
    long heapArea = area(0x50_0000, 0x50_1000, 0x3, 0);
    if (era == Era.OLD) {
      put8(mm, text);
      put8(text + 16, heapArea);
    } else {
      long leaf = allocate(256, 256);
      put8(mm + 8, leaf | 1 << 3 | 2);
      put8(leaf + 8, 0x3f_ffff);
      put8(leaf + 16, 0x40_1fff);
      put8(leaf + 24, 0x4f_ffff);
      put8(leaf + 32, 0x50_0fff);
      put8(leaf + 40, -1);
      put8(leaf + 128 + 8, text);
      put8(leaf + 128 + 24, heapArea);
    }
  }

  /**
   * Six pages mapped. In memory: file pages 100 - 1 + 3, anonymous ones 20 + 2 + 0, shared ones 7;
   * the second numbers are those of the first thread or CPU, the third of the second.
   */
  private void size(long mm) {
    put8(mm + types.offset("mm_struct.total_vm"), 6);
    long counts = mm + types.offset("mm_struct.rss_stat");
    int[] own = {0x2800, 0x2804, 0x2808, 0x280c};
    int[] sums = {100, 20, 1000, 7};
    int[] first = {-1, 2, 1000, 0};
    int[] second = {3, 0, 1000, 0};
    for (int kind = 0; kind < 4; kind++) {
      if (era == Era.OLD) {
        put8(counts + kind * 8L, sums[kind]);
        int cached = at("rss_stat") + 4 + kind * 4;
        put4(tasks.get(1) + cached, first[kind]);
        put4(tasks.get(7) + cached, second[kind]);
      } else {
        put8(counts + kind * 32L + 8, sums[kind]);
        put8(counts + kind * 32L + 24, own[kind]);
        put4(perCpu(0) + own[kind], first[kind]);
        put4(perCpu(1) + own[kind], second[kind]);
      }
    }
  }

  private long area(long start, long end, int flags, long file) {
    long area = allocate(64, 64);
    put8(area, start);
    put8(area + 8, end);
    put8(area + 24, flags);
    put8(area + 32, file);
    return area;
  }

  private long dentry(String name, long parent) {
    long dentry = allocate(64, 64);
    put8(dentry + 8, parent == 0 ? dentry : parent);
    put8(dentry + 24, text(name));
    return dentry;
  }

  /** Puts the page tables into memory as they are now. */
  void putTables() {
    tables.tables().forEach((at, table) -> ram.put(at, used(table)));
  }

  /** Writes BTF, kallsyms, VMCOREINFO and the page tables. */
  private void tables() {
    long btf = IMAGE + 0x20_0000;
    put(btf, types.btf());
    symbols.put("__start_BTF", btf);
    symbols.put("__stop_BTF", btf + types.btf().length);
    var writer = new KallsymsWriter();
    symbols.forEach(
        (name, address) ->
            writer.symbol(
                address >= 0 ? 'A' : address < IMAGE + 0x8_0000 ? 'T' : 'D', address, name));
    long place = IMAGE + 0x28_0000;
    var written =
        writer.write(
            era == Era.OLD ? KallsymsWriter.Layout.V4_20 : KallsymsWriter.Layout.V6_4,
            KallsymsWriter.Form.BASE_RELATIVE_PERCPU,
            new byte[64],
            new byte[64],
            place);
    put(place, written.bytes());
    putTables();
    var info =
        new VmcoreinfoWriter()
            .osRelease(RELEASE)
            .pageSize(4096)
            .symbol("init_uts_ns", symbols.get("init_uts_ns"))
            .symbol("swapper_pg_dir", symbols.get("swapper_pg_dir"))
            .symbol("_stext", symbols.get("_stext"))
            .offset("uts_namespace.name", 4);
    if (era == Era.NEW) {
      info.symbol("kallsyms_names", place + written.names())
          .symbol("kallsyms_num_syms", place + written.numSyms())
          .symbol("kallsyms_token_table", place + written.tokenTable())
          .symbol("kallsyms_token_index", place + written.tokenIndex())
          .symbol("kallsyms_offsets", place + written.addresses())
          .symbol("kallsyms_relative_base", place + written.relativeBase());
    }
    for (int i = 0; i < 10; i++) {
      info.size("filler" + i, i);
    }
    info.number("phys_base", IMAGE_PHYSICAL - (IMAGE - 0xffff_ffff_8000_0000L));
    info.number("pgtable_l5_enabled", levels == 5 ? 1 : 0);
    noted.forEach(info::number);
    info.kernelOffset(IMAGE - 0xffff_ffff_8100_0000L);
    vmcoreinfo = info.bytes();
    ram.put(VMCOREINFO_PAGE, vmcoreinfo);
  }

  /** VMCOREINFO with the layout of the log, which the kernel adds since 3.11. */
  byte[] vmcoreinfoWithLog() {
    var info = new VmcoreinfoWriter().line(new String(vmcoreinfo, StandardCharsets.UTF_8).strip());
    var structs =
        era == Era.OLD
            ? List.of("printk_log")
            : List.of(
                "printk_ringbuffer",
                "prb_desc_ring",
                "prb_data_ring",
                "prb_desc",
                "prb_data_blk_lpos",
                "printk_info");
    for (var struct : structs) {
      info.size(struct, types.size(struct));
      types.members(struct).forEach((member, offset) -> info.offset(struct + "." + member, offset));
    }
    return info.bytes();
  }

  /** The table with its entries marked accessed and dirty, as the kernel's are. */
  private static byte[] used(byte[] table) {
    var marked = ByteBuffer.wrap(table.clone()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < marked.capacity(); i += 8) {
      if (marked.getLong(i) != 0) {
        marked.putLong(i, marked.getLong(i) | 0x60);
      }
    }
    return marked.array();
  }

  /** Removes VMCOREINFO from memory. */
  void forgetVmcoreinfo() {
    ram.put(VMCOREINFO_PAGE, new byte[vmcoreinfo.length]);
  }

  /** A CPU's state as QEMU notes it, in the kernel, on the stack of a task. */
  Cpu cpu(int id, int task) {
    return new Cpu(
        id,
        Registers.none(X86_64.INSTANCE.registers())
            .with(X86_64.RIP, TEXT + 0x10)
            .with(X86_64.RSP, stack(task) + 0x3000)
            .with(X86_64.CR3, tables.root())
            .with(X86_64.CR4, levels == 5 ? 0x1020 : 0x20)
            .with(X86_64.IDT_BASE, IDT),
        "test");
  }

  private long stack(int task) {
    var at = ByteBuffer.wrap(ram.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    return at.getLong((int) physical(tasks.get(task) + at("stack")));
  }

  /** What was allocated last; for tests that damage lists. */
  long lastTask() {
    return lastTask;
  }

  int member(String member) {
    return types.offset(member);
  }

  Target target(boolean notes, Cpu... cpus) {
    return new TestTarget(ram, notes ? Optional.of(vmcoreinfo) : Optional.empty(), List.of(cpus));
  }

  /**
   * The same behind a stub that has neither physical memory nor control registers.
   *
   * @param kernel whether the CPU is in the kernel, whose memory it sees then
   */
  Target virtualOnly(boolean kernel, Cpu... cpus) {
    return virtualOnly(ram, kernel, cpus);
  }

  /**
   * The same, mapped by this kernel's tables.
   *
   * @param shown what is read where they lead to
   */
  Target virtualOnly(Memory shown, boolean kernel, Cpu... cpus) {
    var paging = new Paging(levels, 0, Paging.NotPresent.HARDWARE);
    long root = kernel ? tables.root() : USER_ROOT;
    var memory = new PagedMemory("virtual", shown, new PageTables(ram, root, paging));
    return new TestTarget(new OnlyVirtual(memory), Optional.empty(), List.of(cpus));
  }

  /** Opens it by its VMCOREINFO note. */
  Kernel open() {
    return open(target(true), true).orElseThrow();
  }

  static Optional<Kernel> open(Target target, boolean trust) {
    return new LinuxProvider()
        .attach(target, new KernelOptions(Optional.empty(), trust, Progress.NONE));
  }

  private record OnlyVirtual(Memory memory) implements VirtualMemory {
    @Override
    public String name() {
      return memory.name();
    }

    @Override
    public Layout layout() {
      return memory.layout();
    }

    @Override
    public int read(long address, MemorySegment into) {
      return memory.read(address, into);
    }

    @Override
    public Readability at(long address) {
      return memory.at(address);
    }

    @Override
    public List<Segment> segments() {
      return List.of();
    }
  }

  private record TestTarget(Memory memory, Optional<byte[]> vmcoreinfo, List<Cpu> cpus)
      implements Target {
    @Override
    public TargetInfo info() {
      return new TargetInfo("crash dump", "test", "memory", "x86_64", List.of());
    }

    @Override
    public <C extends Capability> Optional<C> find(Class<C> capability) {
      if (capability.isInstance(memory)) {
        return Optional.of(capability.cast(memory));
      }
      if (capability == KernelNotes.class && vmcoreinfo.isPresent()) {
        return Optional.of(capability.cast(new Notes(vmcoreinfo)));
      }
      return Optional.empty();
    }

    @Override
    public List<String> warnings() {
      return new ArrayList<>();
    }

    @Override
    public void close() {}
  }

  private record Notes(Optional<byte[]> vmcoreinfo) implements KernelNotes {
    @Override
    public OptionalLong physBase() {
      return OptionalLong.empty();
    }

    @Override
    public Optional<String> release() {
      return Optional.empty();
    }
  }
}
