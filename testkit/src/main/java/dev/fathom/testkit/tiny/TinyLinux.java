// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.tiny;

import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.KallsymsWriter;
import dev.fathom.testkit.ModuleKallsymsWriter;
import dev.fathom.testkit.OrcWriter;
import dev.fathom.testkit.VmcoreinfoWriter;
import dev.fathom.testkit.arch.X86PageTableWriter;
import dev.fathom.testkit.gdb.FakeStub;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A made-up Linux 6.6 on x86-64 that panicked, as a crash dump: two CPUs, eight tasks, one module,
 * a log. All is written from the layouts in {@link TinyTypes}, so a test knows every answer.
 *
 * <pre>
 *   physical 0x2000000   the image, 4 MiB: text, read-only tables, data, page tables, 1 MiB each
 *   physical 0x2400000   1 MiB of heap: tasks, stacks, per-CPU areas, the log's buffer
 * </pre>
 */
public final class TinyLinux {
  public static final String RELEASE = "6.6.0-tiny";
  public static final String BUILD_ID = "0123456789abcdef0123456789abcdef01234567";
  public static final long TEXT = 0xffff_ffff_9a00_0000L;
  public static final long DIRECT_MAP = 0xffff_8880_0000_0000L;

  static final int TASK_BYTES = 512;
  private static final long START_KERNEL_MAP = 0xffff_ffff_8000_0000L;
  static final long PHYSICAL = 0x200_0000;
  private static final int MIB = 1 << 20;
  private static final int IMAGE_BYTES = 4 * MIB;
  private static final int HEAP_BYTES = MIB;
  private static final long RODATA = TEXT + MIB;
  private static final long DATA = TEXT + 2 * MIB;
  private static final long TABLES = TEXT + 3 * MIB;
  private static final int STACK_BYTES = 16 << 10;
  private static final int FUNCTION_BYTES = 0x100;

  /** Where in a function the instruction behind its call stands. */
  private static final int RETURN = 0x50;

  private static final List<String> FUNCTIONS =
      List.of(
          "_stext",
          "__schedule",
          "schedule",
          "do_nanosleep",
          "worker_thread",
          "kthread",
          "ret_from_fork_asm",
          "do_syscall_64",
          "entry_SYSCALL_64_after_hwframe",
          "panic",
          "sysrq_handle_crash",
          "ksys_write",
          "default_idle",
          "do_idle",
          "start_secondary",
          "_etext");

  /**
   * A task as the dump should show it.
   *
   * @param stack the functions on its stack, innermost first
   */
  public record TinyTask(
      long address,
      int pid,
      int tgid,
      int parent,
      String name,
      char state,
      int cpu,
      List<String> stack) {}

  private final TinyTypes types = new TinyTypes();
  private final ByteBuffer image = ByteBuffer.allocate(IMAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer heap = ByteBuffer.allocate(HEAP_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final KallsymsWriter symbols = new KallsymsWriter();
  private final Map<String, Long> addresses = new LinkedHashMap<>();
  private final List<TinyTask> tasks = new ArrayList<>();
  private final List<String> log = new ArrayList<>();
  private final Map<String, Long> perCpu = new LinkedHashMap<>();
  private final VmcoreinfoWriter vmcoreinfo = new VmcoreinfoWriter();
  private long nextData = DATA;
  private long nextHeap = DIRECT_MAP + PHYSICAL + IMAGE_BYTES;
  private boolean withVmcoreinfo = true;
  private boolean withTracepoints;
  private String followed = "";
  private long runningSp;

  /** The kernel's types in C. */
  public String types() {
    return types.c();
  }

  /**
   * Writes into the files named, for the build's own first run of the program: the dump, the
   * kernel's types in C, and its build-id.
   */
  public static void main(String[] arguments) throws IOException {
    var tiny = new TinyLinux();
    Files.write(Path.of(arguments[0]), tiny.vmcore());
    Files.writeString(Path.of(arguments[1]), tiny.types());
    Files.writeString(Path.of(arguments[2]), BUILD_ID);
  }

  /** Leaves VMCOREINFO out. */
  public TinyLinux withoutVmcoreinfo() {
    withVmcoreinfo = false;
    return this;
  }

  /**
   * Adds the tracepoint {@code sched_switch}, which is not enabled: a no-operation at {@code
   * schedule+0x20}, what is behind its jump at {@code schedule+0x80} with the load there and the
   * call at +0x92. And {@code sys_enter}, which has to be registered besides.
   */
  public TinyLinux withTracepoints() {
    return withTracepoints("sched_switch");
  }

  /**
   * As {@link #withTracepoints()}, with another name in place of {@code sched_switch}; {@code
   * struct request} is a pointer to a {@code struct bio}, which has {@code bi_next} at 0 and {@code
   * bi_iter.bi_size} at 16.
   */
  public TinyLinux withTracepoints(String followed) {
    withTracepoints = true;
    this.followed = followed;
    types.addTracepoints();
    return this;
  }

  /**
   * The tasks in the dump, in the order of the kernel's list, idle ones first; known once it is
   * built.
   */
  public List<TinyTask> tasks() {
    return List.copyOf(tasks);
  }

  /** The messages in the log. */
  public List<String> log() {
    return List.copyOf(log);
  }

  /** The address of a symbol, known once the dump is built. */
  public long address(String symbol) {
    return addresses.get(symbol);
  }

  /** Builds the dump: an ELF vmcore. */
  public byte[] vmcore() {
    text();
    perCpu();
    uts();
    tasksAndCpus();
    module();
    messages();
    if (withTracepoints) {
      tracepoints();
    }
    readOnlyTables();
    pageTables();
    var core = new ElfCoreWriter();
    long[] registers = new long[27];
    registers[4] = runningSp + 64;
    registers[16] = addresses.get("panic") + RETURN;
    registers[17] = 0x10;
    registers[19] = runningSp;
    registers[20] = 0x18;
    core.note("CORE", 1, ElfCoreWriter.prStatus(0, pidOn(0), registers));
    var idle = registers.clone();
    idle[16] = addresses.get("default_idle") + 4;
    idle[19] = idleSp;
    core.note("CORE", 1, ElfCoreWriter.prStatus(0, 0, idle));
    if (withVmcoreinfo) {
      core.note("VMCOREINFO", 0, vmcoreinfo.bytes());
    }
    return core.load(PHYSICAL, 0, image.array())
        .load(PHYSICAL + IMAGE_BYTES, 0, heap.array())
        .build();
  }

  /** The memory from {@link #PHYSICAL} on, once {@link #vmcore} has filled it. */
  byte[] memory() {
    byte[] memory = Arrays.copyOf(image.array(), IMAGE_BYTES + heap.capacity());
    System.arraycopy(heap.array(), 0, memory, IMAGE_BYTES, heap.capacity());
    return memory;
  }

  /** A gdb stub of a machine that runs this, two CPUs; to be called once {@link #vmcore} was. */
  public FakeStub stub() {
    var stub =
        FakeStub.start(FakeStub.Kind.QEMU).memory(PHYSICAL, memory()).cpus(2).withoutTables();
    for (int cpu = 0; cpu < 2; cpu++) {
      stub.register(cpu, FakeStub.CS, 0x10)
          .register(cpu, FakeStub.CR3, addresses.get("swapper_pg_dir") - TEXT + PHYSICAL);
    }
    return stub.register(0, FakeStub.RIP, addresses.get("panic") + RETURN)
        .register(0, FakeStub.RSP, runningSp)
        .register(1, FakeStub.RIP, addresses.get("default_idle") + 4)
        .register(1, FakeStub.RSP, idleSp);
  }

  /** What QEMU's monitor would print of the CPU that runs the task that crashed. */
  String monitorRegisters() {
    long root = addresses.get("swapper_pg_dir") - TEXT + PHYSICAL;
    return String.format(
        "%nCPU#0%nRSP=%016x RBP=%016x%nRIP=%016x RFL=00000002%nCS =0010 0000000000000000 ffffffff%n"
            + "CR0=80050033 CR2=0000000000000000 CR3=%016x CR4=00000020%n",
        runningSp, runningSp + 64, addresses.get("panic") + RETURN, root);
  }

  private int pidOn(int cpu) {
    for (var task : tasks) {
      if (task.cpu() == cpu && task.state() == 'R' && task.pid() != 0) {
        return task.pid();
      }
    }
    return 0;
  }

  // ---- memory

  private void put64(long address, long value) {
    buffer(address).putLong(index(address), value);
  }

  private void put32(long address, long value) {
    buffer(address).putInt(index(address), (int) value);
  }

  private void put(long address, byte[] bytes) {
    buffer(address).put(index(address), bytes);
  }

  private void putString(long address, String text) {
    put(address, (text + "\0").getBytes(StandardCharsets.UTF_8));
  }

  private ByteBuffer buffer(long address) {
    return inImage(address) ? image : heap;
  }

  private static boolean inImage(long address) {
    return address >= TEXT && address < TEXT + IMAGE_BYTES;
  }

  private static int index(long address) {
    return (int)
        (inImage(address) ? address - TEXT : address - DIRECT_MAP - PHYSICAL - IMAGE_BYTES);
  }

  private long field(long structure, String tag, String member) {
    return structure + types.offset(tag, member);
  }

  private long allocate(int bytes, int alignment) {
    nextHeap = (nextHeap + alignment - 1) & -(long) alignment;
    long at = nextHeap;
    nextHeap += bytes;
    return at;
  }

  private long variable(String name, int bytes) {
    nextData = (nextData + 63) & -64L;
    symbol('D', nextData, name);
    long at = nextData;
    nextData += bytes;
    return at;
  }

  private void symbol(char type, long address, String name) {
    symbols.symbol(type, address, name);
    addresses.put(name, address);
  }

  private void listHead(long head) {
    put64(head, head);
    put64(head + 8, head);
  }

  /** Adds {@code node} in front of {@code head}: at the end of the list. */
  private void addTail(long node, long head) {
    long last = buffer(head + 8).getLong(index(head + 8));
    put64(last, node);
    put64(node, head);
    put64(node + 8, last);
    put64(head + 8, node);
  }

  // ---- what is in it

  /** Each function: endbr64, some pushes, no-operations, and a call in front of {@link #RETURN}. */
  private void text() {
    long at = TEXT;
    for (var name : FUNCTIONS) {
      symbol('T', at, name);
      var code = new byte[FUNCTION_BYTES];
      Arrays.fill(code, (byte) 0x90);
      System.arraycopy(new byte[] {(byte) 0xf3, 0x0f, 0x1e, (byte) 0xfa, 0x55}, 0, code, 0, 5);
      // call rel32 to the next function; the code behind it is at RETURN
      System.arraycopy(
          new byte[] {(byte) 0xe8, (byte) (FUNCTION_BYTES - RETURN), 0, 0, 0},
          0,
          code,
          RETURN - 5,
          5);
      code[FUNCTION_BYTES - 1] = (byte) 0xc3;
      put(at, code);
      at += FUNCTION_BYTES;
    }
  }

  private void perCpu() {
    perCpu.put("runqueues", 0x1000L);
    perCpu.put("pcpu_hot", 0x2000L);
    perCpu.forEach((name, offset) -> symbol('D', offset, name));
    symbol('D', 0, "__per_cpu_start");
    symbol('D', 0x3000, "__per_cpu_end");
    long offsets = variable("__per_cpu_offset", 16);
    put64(offsets, allocate(0x3000, 4096));
    put64(offsets + 8, allocate(0x3000, 4096));
    for (var mask : List.of("__cpu_possible_mask", "__cpu_online_mask", "__cpu_present_mask")) {
      put64(variable(mask, 8), 3);
    }
    put32(variable("nr_cpu_ids", 4), 2);
  }

  private long perCpu(String name, int cpu) {
    long slot = addresses.get("__per_cpu_offset") + cpu * 8L;
    return buffer(slot).getLong(index(slot)) + perCpu.get(name);
  }

  private void uts() {
    long uts = variable("init_uts_ns", types.bytes("uts_namespace"));
    var texts = List.of("Linux", "tiny", RELEASE, "#1 SMP TINY", "x86_64", "(none)");
    for (int i = 0; i < texts.size(); i++) {
      putString(uts + i * 65L, texts.get(i));
    }
  }

  private void tasksAndCpus() {
    long cred = variable("init_cred", types.bytes("cred"));
    put32(cred, 0);
    long init = variable("init_task", TASK_BYTES);
    listHead(field(init, "task_struct", "tasks"));
    var idle = List.of("default_idle", "do_idle", "start_secondary");
    var sleeping =
        List.of(
            "__schedule",
            "schedule",
            "do_nanosleep",
            "do_syscall_64",
            "entry_SYSCALL_64_after_hwframe");
    var worker = List.of("__schedule", "schedule", "worker_thread", "kthread", "ret_from_fork_asm");
    task(
        init,
        0,
        0,
        init,
        "swapper/0",
        'R',
        0,
        List.of("__schedule", "schedule", "do_idle", "start_secondary"));
    long secondIdle = task(0, 0, init, "swapper/1", 'R', 1, idle);
    long first = task(1, 1, init, "init", 'S', 0, sleeping);
    long kthreadd = task(2, 2, init, "kthreadd", 'S', 1, worker);
    task(30, 30, kthreadd, "kworker/0:1", 'I', 0, worker);
    long server = task(100, 100, first, "server", 'S', 1, sleeping);
    thread(101, server, first, "server-worker", 'D', sleeping);
    task(102, 102, first, "child", 'Z', 0, List.of());
    long crasher =
        task(
            103,
            103,
            first,
            "sh",
            'R',
            0,
            List.of(
                "panic",
                "sysrq_handle_crash",
                "ksys_write",
                "do_syscall_64",
                "entry_SYSCALL_64_after_hwframe"));
    long[] current = {crasher, secondIdle};
    long[] idles = {init, secondIdle};
    for (int cpu = 0; cpu < 2; cpu++) {
      long rq = perCpu("runqueues", cpu);
      put32(field(rq, "rq", "nr_running"), 1 - cpu);
      put64(field(rq, "rq", "nr_switches"), 1000 + cpu);
      put64(field(rq, "rq", "curr"), current[cpu]);
      put64(field(rq, "rq", "idle"), idles[cpu]);
      put32(field(rq, "rq", "cpu"), cpu);
      put64(field(perCpu("pcpu_hot", cpu), "pcpu_hot", "current_task"), current[cpu]);
      put32(field(perCpu("pcpu_hot", cpu), "pcpu_hot", "cpu_number"), cpu);
    }
    put32(variable("panic_cpu", 4), 0);
  }

  private long idleSp;

  private long task(
      int pid, int tgid, long parent, String name, char state, int cpu, List<String> stack) {
    long task = allocate(TASK_BYTES, 64);
    task(task, pid, tgid, parent, name, state, cpu, stack);
    if (pid != 0) {
      addTail(
          field(task, "task_struct", "tasks"),
          field(addresses.get("init_task"), "task_struct", "tasks"));
    }
    return task;
  }

  /** A further thread of the process that {@code leader} is the first of. */
  private void thread(
      int pid, long leader, long parent, String name, char state, List<String> stack) {
    long task = allocate(TASK_BYTES, 64);
    task(task, pid, pidOf(leader), parent, name, state, 1, stack);
    long slot = field(leader, "task_struct", "signal");
    long signal = buffer(slot).getLong(index(slot));
    put64(field(task, "task_struct", "signal"), signal);
    addTail(field(task, "task_struct", "thread_node"), signal);
  }

  private int pidOf(long task) {
    long at = field(task, "task_struct", "pid");
    return buffer(at).getInt(index(at));
  }

  private void task(
      long task,
      int pid,
      int tgid,
      long parent,
      String name,
      char state,
      int cpu,
      List<String> stack) {
    boolean kernel = pid == 0 || parent == kthreadd() || name.equals("kthreadd");
    put32(
        task + types.offset("task_struct", "thread_info") + types.offset("thread_info", "cpu"),
        cpu);
    put32(field(task, "task_struct", "__state"), stateBits(state));
    put32(field(task, "task_struct", "exit_state"), state == 'Z' ? 0x20 : 0);
    put32(field(task, "task_struct", "flags"), kernel ? 0x0020_0000 : 0);
    put32(field(task, "task_struct", "prio"), 120);
    put32(field(task, "task_struct", "pid"), pid);
    put32(field(task, "task_struct", "tgid"), tgid);
    put64(field(task, "task_struct", "real_parent"), parent);
    put64(field(task, "task_struct", "cred"), addresses.get("init_cred"));
    putString(
        field(task, "task_struct", "comm"), name.length() > 15 ? name.substring(0, 15) : name);
    listHead(field(task, "task_struct", "children"));
    listHead(field(task, "task_struct", "sibling"));
    if (pid == tgid) {
      long signal = allocate(types.bytes("signal_struct"), 64);
      listHead(signal);
      put64(field(task, "task_struct", "signal"), signal);
      addTail(field(task, "task_struct", "thread_node"), signal);
    }
    if (!stack.isEmpty()) {
      stack(task, stack, kernel);
    }
    tasks.add(
        new TinyTask(
            task,
            pid,
            tgid,
            parent == task ? 0 : pidOf(parent),
            name,
            state,
            cpu,
            List.copyOf(stack)));
  }

  private long kthreadd() {
    for (var task : tasks) {
      if (task.name().equals("kthreadd")) {
        return task.address();
      }
    }
    return -1;
  }

  private static int stateBits(char state) {
    return switch (state) {
      case 'S' -> 1;
      case 'D' -> 2;
      case 'I' -> 0x402;
      case 'Z' -> 0x80;
      default -> 0;
    };
  }

  /**
   * Writes a stack: return addresses one above the other, at the top the registers of user mode; a
   * task that does not run has an inactive_task_frame at its lower end.
   */
  private void stack(long task, List<String> functions, boolean kernel) {
    long base = allocate(STACK_BYTES, STACK_BYTES);
    put64(field(task, "task_struct", "stack"), base);
    boolean running = !functions.getFirst().equals("__schedule");
    long sp = base + STACK_BYTES - (kernel ? 64 : 168);
    if (!kernel) {
      // struct pt_regs: ip, cs, flags, sp, ss stand at 128.
      put64(sp + 120, 35);
      put64(sp + 128, 0x40_1000);
      put64(sp + 136, 0x33);
      put64(sp + 144, 0x202);
      put64(sp + 152, 0x7fff_ffff_e000L);
      put64(sp + 160, 0x2b);
    }
    for (int i = functions.size() - 1; i > 0; i--) {
      sp -= 8;
      put64(sp, addresses.get(functions.get(i)) + RETURN);
    }
    if (running) {
      if (kernel) {
        idleSp = sp;
      } else {
        runningSp = sp;
      }
      return;
    }
    sp -= types.bytes("inactive_task_frame");
    put64(field(sp, "inactive_task_frame", "ret_addr"), addresses.get("__schedule") + RETURN);
    put64(task + types.offset("task_struct", "thread") + types.offset("thread_struct", "sp"), sp);
  }

  private void module() {
    long head = variable("modules", 16);
    listHead(head);
    long base = allocate(0x2000, 4096);
    long module = base + 0x1000;
    put64(field(module, "module", "state"), 0);
    putString(field(module, "module", "name"), "tiny_mod");
    put64(module + types.offset("module", "mem"), base);
    put32(module + types.offset("module", "mem") + 8, 0x1000);
    put64(module + types.offset("module", "mem") + 24, module);
    put32(module + types.offset("module", "mem") + 32, 0x1000);
    var kallsyms =
        new ModuleKallsymsWriter()
            .symbol('t', base + 0x10, 0x40, "tiny_init")
            .symbol('t', base + 0x100, 0x80, "tiny_work");
    long symtab = base + 0x1400;
    put(symtab, kallsyms.symtab());
    put(symtab + 0x400, kallsyms.strtab());
    put(symtab + 0x600, kallsyms.typetab());
    long table = module + types.offset("module", "core_kallsyms");
    put64(field(module, "module", "kallsyms"), table);
    put64(field(table, "mod_kallsyms", "symtab"), symtab);
    put32(field(table, "mod_kallsyms", "num_symtab"), kallsyms.typetab().length);
    put64(field(table, "mod_kallsyms", "strtab"), symtab + 0x400);
    put64(field(table, "mod_kallsyms", "typetab"), symtab + 0x600);
    addTail(field(module, "module", "list"), head);
  }

  private void messages() {
    log.add("Linux version " + RELEASE + " (tiny)");
    log.add("Command line: quiet");
    log.add("sysrq: Trigger a crash");
    log.add("Kernel panic - not syncing: sysrq triggered crash");
    int count = 8;
    long ring = variable("printk_rb_static", types.bytes("printk_ringbuffer"));
    put64(variable("prb", 8), ring);
    long descs = allocate(count * types.bytes("prb_desc"), 64);
    long infos = allocate(count * types.bytes("printk_info"), 64);
    long data = allocate(4096, 64);
    // Ids start where the kernel's own do: at minus the number of descriptors (_DESC0_ID).
    long firstId = 1;
    put32(ring, 3);
    put64(ring + 8, descs);
    put64(ring + 16, infos);
    put64(ring + 24, firstId + log.size() - 1);
    put64(ring + 32, firstId);
    put32(ring + 48, 12);
    put64(ring + 56, data);
    long position = 0;
    for (int i = 0; i < log.size(); i++) {
      long id = firstId + i;
      long desc = descs + (id % count) * types.bytes("prb_desc");
      long info = infos + (id % count) * types.bytes("printk_info");
      var text = log.get(i).getBytes(StandardCharsets.UTF_8);
      long next = position + 8 + ((text.length + 7) & -8);
      put64(desc, 2L << 62 | id);
      put64(desc + 8, position);
      put64(desc + 16, next);
      put64(info, i);
      put64(info + 8, i * 1_500_000_000L);
      put32(info + 16, text.length);
      buffer(info + 19).put(index(info + 19), (byte) (5 << 5));
      put64(data + position, id);
      put(data + position + 8, text);
      position = next;
    }
  }

  private void tracepoints() {
    long iterator = addresses.get("do_nanosleep");
    symbol('T', iterator, "__traceiter_" + followed);
    long point = tracepoint(followed, iterator, 0);
    long registered = tracepoint("sys_enter", iterator, iterator);
    long pointers = variable("__start___tracepoints_ptrs", 8);
    put32(pointers, registered - pointers);
    put32(pointers + 4, point - pointers - 4);
    symbol('D', pointers + 8, "__stop___tracepoints_ptrs");
    long site = addresses.get("schedule") + 0x20;
    long behind = addresses.get("schedule") + 0x80;
    long gone = addresses.get("panic") + 0x20;
    long jumps = variable("__start___jump_table", 48);
    jump(jumps, site, behind, field(point, "tracepoint", "key"));
    jump(jumps + 16, gone, gone + 0x20, field(point, "tracepoint", "key") | 2);
    jump(jumps + 32, gone, gone + 0x20, field(registered, "tracepoint", "key"));
    symbol('D', jumps + 48, "__stop___jump_table");
    // call the next; mov funcs(%rip), %rbx; mov %rsi, %r12; test %rbx, %rbx; je +0; ret
    long listeners = field(point, "tracepoint", "funcs");
    var calls = ByteBuffer.allocate(0x15).order(ByteOrder.LITTLE_ENDIAN);
    calls.put((byte) 0xe8).putInt(0);
    calls.put(new byte[] {0x48, (byte) 0x8b, 0x1d}).putInt((int) (listeners - (iterator + 12)));
    calls.put(new byte[] {0x49, (byte) 0x89, (byte) 0xf4, 0x48, (byte) 0x85, (byte) 0xdb});
    put(iterator, calls.put(new byte[] {0x74, 0, (byte) 0xc3}).array());
    // mov funcs(%rip), %rbx; test %rbx, %rbx; je +9; mov 8(%rbx), %rdi; nop; call iterator
    int funcs = (int) (listeners - (behind + 7));
    var code = ByteBuffer.allocate(0x17).order(ByteOrder.LITTLE_ENDIAN);
    code.put(new byte[] {0x48, (byte) 0x8b, 0x1d}).putInt(funcs);
    code.put(new byte[] {0x48, (byte) 0x85, (byte) 0xdb, 0x74, 9});
    code.put(new byte[] {0x48, (byte) 0x8b, 0x7b, 8, (byte) 0x66, (byte) 0x90, (byte) 0xe8});
    code.putInt((int) (iterator - (behind + 0x17)));
    put(behind, code.array());
  }

  private long tracepoint(String name, long iterator, long regfunc) {
    long at = variable("__tracepoint_" + name, types.bytes("tracepoint"));
    long text = allocate(32, 8);
    putString(text, name);
    put64(field(at, "tracepoint", "name"), text);
    put64(field(at, "tracepoint", "iterator"), iterator);
    put64(field(at, "tracepoint", "regfunc"), regfunc);
    return at;
  }

  private void jump(long at, long code, long target, long key) {
    put32(at, code - at);
    put32(at + 4, target - at - 4);
    put64(at + 8, key - at - 8);
  }

  private void readOnlyTables() {
    symbol('T', TEXT, "_text");
    putString(RODATA, "Linux version " + RELEASE + " (tiny)\n");
    symbol('R', RODATA, "linux_banner");
    long btfAt = RODATA + 0x40000;
    byte[] btf = types.btf(perCpu);
    put(btfAt, btf);
    symbol('R', btfAt, "__start_BTF");
    symbol('R', btfAt + btf.length, "__stop_BTF");
    long ipAt = RODATA + 0x80000;
    long entriesAt = RODATA + 0x90000;
    var orc = new OrcWriter(OrcWriter.Layout.V6_4, ipAt);
    for (var name : FUNCTIONS) {
      long at = addresses.get(name);
      switch (name) {
        case "entry_SYSCALL_64_after_hwframe" ->
            orc.entry(at, OrcWriter.SP, 0, OrcWriter.UNDEFINED, 0, OrcWriter.Type.REGS, true);
        case "ret_from_fork_asm", "start_secondary" ->
            orc.entry(
                at,
                OrcWriter.UNDEFINED,
                0,
                OrcWriter.UNDEFINED,
                0,
                OrcWriter.Type.END_OF_STACK,
                false);
        default -> orc.call(at, 8);
      }
    }
    put(ipAt, orc.ips());
    put(entriesAt, orc.entries());
    symbol('R', ipAt, "__start_orc_unwind_ip");
    symbol('R', ipAt + orc.ips().length, "__stop_orc_unwind_ip");
    symbol('R', entriesAt, "__start_orc_unwind");
    symbol('R', entriesAt + orc.entries().length, "__stop_orc_unwind");
    symbol('D', TABLES, "swapper_pg_dir");
    symbol('D', TABLES, "init_top_pgt");
    symbol('B', TEXT + IMAGE_BYTES - 16, "_end");
    long kallsymsAt = RODATA + 0x1000;
    var written =
        symbols.write(
            KallsymsWriter.Layout.V6_4,
            KallsymsWriter.Form.BASE_RELATIVE_PERCPU,
            new byte[0],
            new byte[64],
            kallsymsAt);
    put(kallsymsAt, written.bytes());
    vmcoreinfo
        .osRelease(RELEASE)
        .buildId(BUILD_ID)
        .pageSize(4096)
        .symbol("init_uts_ns", addresses.get("init_uts_ns"))
        .offset("uts_namespace.name", 0)
        .symbol("swapper_pg_dir", TABLES)
        .number("phys_base", PHYSICAL - (TEXT - START_KERNEL_MAP))
        .number("pgtable_l5_enabled", 0)
        .kernelOffset(TEXT - 0xffff_ffff_8100_0000L)
        .symbol("kallsyms_names", kallsymsAt + written.names())
        .symbol("kallsyms_num_syms", kallsymsAt + written.numSyms())
        .symbol("kallsyms_token_table", kallsymsAt + written.tokenTable())
        .symbol("kallsyms_token_index", kallsymsAt + written.tokenIndex())
        .symbol("kallsyms_offsets", kallsymsAt + written.addresses())
        .symbol("kallsyms_relative_base", kallsymsAt + written.relativeBase())
        .line("CRASHTIME=1700000000");
  }

  /** The image by 2 MiB pages, the direct map of the first 64 MiB, and the fixmap's empty entry. */
  private void pageTables() {
    long root = PHYSICAL + (TABLES - TEXT);
    long large = 2L << 20;
    long flags = X86PageTableWriter.PRESENT | X86PageTableWriter.WRITABLE | 0x60;
    var tables = new X86PageTableWriter(4, root);
    for (long done = 0; done < IMAGE_BYTES; done += large) {
      tables.map(TEXT + done, PHYSICAL + done, large, flags);
    }
    for (long at = 0; at < 64L << 20; at += large) {
      tables.map(DIRECT_MAP + at, at, large, flags | X86PageTableWriter.NO_EXECUTE);
    }
    tables.map(0xffff_ffff_ff60_0000L, 0, 4096, X86PageTableWriter.PRESENT);
    tables.tables().forEach((at, bytes) -> image.put((int) (at - PHYSICAL), used(bytes)));
  }

  /** The table with all its entries accessed and dirty, as a kernel's own are (_KERNPG_TABLE). */
  private static byte[] used(byte[] table) {
    for (int at = 0; at < table.length; at += Long.BYTES) {
      table[at] |= (byte) (table[at] != 0 ? 0x60 : 0);
    }
    return table;
  }
}
