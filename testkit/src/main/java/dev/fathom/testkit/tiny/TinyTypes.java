// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.tiny;

import dev.fathom.testkit.BtfWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The types of {@link TinyLinux}, named and shaped as Linux 6.6's but with few members. A structure
 * is written once all that it holds by value is; pointers may look ahead.
 */
final class TinyTypes {
  private record Part(String type, String name, int offset, int bits) {}

  private record Struct(String tag, int bytes, List<Part> parts) {}

  private final BtfWriter writer = new BtfWriter();
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, Struct> structs = new HashMap<>();
  private final List<Struct> order = new ArrayList<>();
  private boolean tracepoints;

  TinyTypes() {
    declare("list_head", 16, "list_head * next@0", "list_head * prev@8");
    declare("hlist_node", 16, "hlist_node * next@0", "hlist_node * * pprev@8");
    declare("thread_info", 24, "u64 flags@0", "u32 status@16", "u32 cpu@20");
    declare("thread_struct", 16, "u64 sp@0", "u64 fsbase@8");
    declare("signal_struct", 32, "list_head thread_head@0", "s32 nr_threads@16");
    declare("kuid_t", 4, "u32 val@0");
    declare("cred", 16, "kuid_t uid@0", "kuid_t euid@4");
    declare(
        "task_struct",
        TinyLinux.TASK_BYTES,
        "thread_info thread_info@0",
        "u32 __state@24",
        "void * stack@32",
        "u32 flags@40",
        "s32 prio@44",
        "list_head tasks@48",
        "s32 exit_state@64",
        "s32 pid@68",
        "s32 tgid@72",
        "u32 in_execve@76:1",
        "task_struct * real_parent@80",
        "list_head children@88",
        "list_head sibling@104",
        "signal_struct * signal@120",
        "list_head thread_node@128",
        "char[16] comm@144",
        "cred * cred@160",
        "thread_struct thread@168");
    declare(
        "rq",
        64,
        "u32 nr_running@0",
        "u64 nr_switches@8",
        "task_struct * curr@16",
        "task_struct * idle@24",
        "s32 cpu@32");
    declare(
        "pcpu_hot",
        32,
        "task_struct * current_task@0",
        "s32 cpu_number@12",
        "u64 top_of_stack@16",
        "void * hardirq_stack_ptr@24");
    declare(
        "inactive_task_frame",
        56,
        "u64 r15@0",
        "u64 r14@8",
        "u64 r13@16",
        "u64 r12@24",
        "u64 bx@32",
        "u64 bp@40",
        "u64 ret_addr@48");
    declare(
        "new_utsname",
        390,
        "char[65] sysname@0",
        "char[65] nodename@65",
        "char[65] release@130",
        "char[65] version@195",
        "char[65] machine@260",
        "char[65] domainname@325");
    declare("uts_namespace", 400, "new_utsname name@0");
    declare("module_memory", 24, "void * base@0", "u32 size@8");
    declare(
        "mod_kallsyms",
        32,
        "void * symtab@0",
        "u32 num_symtab@8",
        "char * strtab@16",
        "char * typetab@24");
    declare(
        "module",
        512,
        "u32 state@0",
        "list_head list@8",
        "char[56] name@24",
        "module_memory[7] mem@80",
        "mod_kallsyms * kallsyms@248",
        "mod_kallsyms core_kallsyms@256",
        "u64 taints@288");
    declare(
        "prb_desc_ring",
        48,
        "u32 count_bits@0",
        "prb_desc * descs@8",
        "printk_info * infos@16",
        "u64 head_id@24",
        "u64 tail_id@32");
    declare(
        "prb_data_ring",
        32,
        "u32 size_bits@0",
        "char * data@8",
        "u64 head_lpos@16",
        "u64 tail_lpos@24");
    declare(
        "printk_ringbuffer", 80, "prb_desc_ring desc_ring@0", "prb_data_ring text_data_ring@48");
    declare("prb_data_blk_lpos", 16, "u64 begin@0", "u64 next@8");
    declare("prb_desc", 24, "u64 state_var@0", "prb_data_blk_lpos text_blk_lpos@8");
    declare(
        "printk_info",
        88,
        "u64 seq@0",
        "u64 ts_nsec@8",
        "u16 text_len@16",
        "u8 facility@18",
        "u8 flags@19:5",
        "u8 level@19.5:3",
        "u32 caller_id@20");
    declare("atomic_t", 4, "s32 counter@0");
    declare(
        "rb_node", 24, "u64 __rb_parent_color@0", "rb_node * rb_right@8", "rb_node * rb_left@16");
    declare("rb_root", 8, "rb_node * rb_node@0");
  }

  /**
   * The types of tracepoints and static keys, the prototype of one tracepoint, and what requests to
   * block devices are.
   */
  void addTracepoints() {
    tracepoints = true;
    declare("static_key", 16, "atomic_t enabled@0", "u64 type@8");
    declare(
        "tracepoint",
        72,
        "char * name@0",
        "static_key key@8",
        "void * static_call_key@24",
        "void * static_call_tramp@32",
        "void * iterator@40",
        "void * regfunc@48",
        "void * unregfunc@56",
        "void * funcs@64");
    declare("jump_entry", 16, "s32 code@0", "s32 target@4", "u64 key@8");
    declare("bvec_iter", 16, "u64 bi_sector@0", "u32 bi_size@8");
    declare("bio", 24, "bio * bi_next@0", "bvec_iter bi_iter@8");
    declare("request", 8, "bio * bio@0");
  }

  private void declare(String tag, int bytes, String... parts) {
    var list = new ArrayList<Part>();
    for (var text : parts) {
      int at = text.lastIndexOf('@');
      int blank = text.lastIndexOf(' ', at);
      var place = text.substring(at + 1).split(":");
      var offset = place[0].split("\\.");
      int bit =
          Integer.parseInt(offset[0]) * 8 + (offset.length > 1 ? Integer.parseInt(offset[1]) : 0);
      list.add(
          new Part(
              text.substring(0, blank),
              text.substring(blank + 1, at),
              bit,
              place.length > 1 ? Integer.parseInt(place[1]) : 0));
    }
    var struct = new Struct(tag, bytes, List.copyOf(list));
    structs.put(tag, struct);
    order.add(struct);
  }

  /** The byte offset of a member of a structure, both as declared above. */
  int offset(String tag, String member) {
    for (var part : structs.get(tag).parts()) {
      if (part.name().equals(member)) {
        return part.offset() / 8;
      }
    }
    throw new IllegalArgumentException(tag + "." + member);
  }

  int bytes(String tag) {
    return structs.get(tag).bytes();
  }

  /** The same types in C, each with a variable of it, for a compiler to describe. */
  String c() {
    var text =
        new StringBuilder("typedef int pid_t;\nenum pid_type { PIDTYPE_PID, PIDTYPE_TGID };\n");
    text.append("enum pid_type one_pid_type; pid_t one_pid_t;\n");
    for (var struct : order) {
      text.append("struct ").append(struct.tag()).append(" {\n");
      int end = 0;
      for (var part : struct.parts()) {
        if (part.bits() == 0) {
          pad(text, end, part.offset() / 8);
        } else if (part.offset() % 8 == 0) {
          pad(text, (end + 7) / 8 * 8, part.offset() / 8);
        }
        text.append("  ").append(member(part)).append(";\n");
        end = part.offset() + (part.bits() == 0 ? 8 * bytesOf(part.type()) : part.bits());
      }
      pad(text, end, struct.bytes());
      text.append("} __attribute__((packed)) one_").append(struct.tag()).append(";\n");
    }
    return text.toString();
  }

  private static void pad(StringBuilder text, int bits, int until) {
    int from = (bits + 7) / 8;
    if (from < until) {
      text.append("  char pad").append(from).append('[').append(until - from).append("];\n");
    }
  }

  private static String member(Part part) {
    int bracket = part.type().indexOf('[');
    var type = bracket < 0 ? part.type() : part.type().substring(0, bracket);
    var array = bracket < 0 ? "" : part.type().substring(bracket);
    var bits = part.bits() == 0 ? "" : ":" + part.bits();
    return cType(type) + " " + part.name() + array + bits;
  }

  private static String cType(String type) {
    int star = type.indexOf(' ');
    var base = star < 0 ? type : type.substring(0, star);
    var named =
        switch (base) {
          case "void", "char" -> base;
          case "u8" -> "unsigned char";
          case "u16" -> "unsigned short";
          case "u32" -> "unsigned int";
          case "s32" -> "int";
          case "u64" -> "unsigned long";
          default -> "struct " + base;
        };
    return named + (star < 0 ? "" : type.substring(star));
  }

  private int bytesOf(String type) {
    int bracket = type.indexOf('[');
    if (bracket >= 0) {
      int count = Integer.parseInt(type, bracket + 1, type.length() - 1, 10);
      return count * bytesOf(type.substring(0, bracket));
    }
    return switch (type) {
      case "char", "u8" -> 1;
      case "u16" -> 2;
      case "u32", "s32" -> 4;
      case "u64" -> 8;
      default -> type.endsWith("*") ? 8 : structs.get(type).bytes();
    };
  }

  /** The BTF of all these types, and of the per-CPU variables at their offsets. */
  byte[] btf(Map<String, Long> perCpu) {
    ids.put("char", writer.integer("char", 1, 1));
    ids.put("u8", writer.integer("unsigned char", 1, 0));
    ids.put("u16", writer.integer("short unsigned int", 2, 0));
    ids.put("u32", writer.integer("unsigned int", 4, 0));
    ids.put("s32", writer.integer("int", 4, 1));
    ids.put("u64", writer.integer("long unsigned int", 8, 0));
    ids.put("void *", writer.pointer(0));
    // Pointers name the structure's number before it is written: first the pointers, then the
    // structures in order.
    int pointers = writer.nextId();
    int next = pointers + order.size();
    for (var struct : order) {
      ids.put(struct.tag() + " *", pointers++);
      ids.put(struct.tag(), next++);
    }
    for (var struct : order) {
      writer.pointer(ids.get(struct.tag()));
    }
    // Derived types of members come behind the structures, so their numbers are known as well.
    var derived = new ArrayList<String>();
    for (var struct : order) {
      for (var part : struct.parts()) {
        if (!ids.containsKey(part.type())) {
          ids.put(part.type(), next++);
          derived.add(part.type());
        }
      }
    }
    for (var struct : order) {
      boolean bits = struct.parts().stream().anyMatch(p -> p.bits() > 0);
      if (bits) {
        writer.structWithBitFields(struct.tag(), struct.bytes(), struct.parts().size());
      } else {
        writer.struct(struct.tag(), struct.bytes(), struct.parts().size());
      }
      for (var part : struct.parts()) {
        if (bits) {
          writer.bitField(part.name(), ids.get(part.type()), part.offset(), part.bits());
        } else {
          writer.member(part.name(), ids.get(part.type()), part.offset());
        }
      }
    }
    for (var type : derived) {
      if (type.endsWith("]")) {
        int bracket = type.indexOf('[');
        writer.array(
            ids.get(type.substring(0, bracket)),
            ids.get("u32"),
            Long.parseLong(type, bracket + 1, type.length() - 1, 10));
      } else {
        writer.pointer(ids.get(type.substring(0, type.length() - 2)));
      }
    }
    writer.typedef("pid_t", ids.get("s32"));
    writer.enumeration("pid_type", 4, false, 2);
    writer.value("PIDTYPE_PID", 0).value("PIDTYPE_TGID", 1);
    if (tracepoints) {
      int prototype = writer.prototype(0, 4);
      writer.parameter("__data", ids.get("void *")).parameter("preempt", ids.get("u32"));
      writer
          .parameter("prev", ids.get("task_struct *"))
          .parameter("next", ids.get("task_struct *"));
      writer.typedef("btf_trace_sched_switch", writer.pointer(prototype));
    }
    var variables = new HashMap<String, Integer>();
    for (var variable : perCpu.keySet()) {
      var type = variable.equals("runqueues") ? "rq" : variable;
      variables.put(variable, writer.variable(variable, ids.get(type), 1));
    }
    writer.section(".data..percpu", 1 << 16, perCpu.size());
    perCpu.forEach((name, offset) -> writer.variableAt(variables.get(name), offset, 64));
    return writer.bytes();
  }
}
