// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.linux.boot.KernelFinder;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.Paging;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeName;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The VMCOREINFO of a kernel: the text that it keeps at {@code vmcoreinfo_data}, else the one by
 * which it was found, else one put together from its symbols and types: what readers of dumps need
 * to find their way (kernel/vmcore_info.c and arch/x86/kernel/vmcore_info_64.c name the keys).
 */
final class OwnVmcoreinfo {
  private static final int LIMIT = 1 << 14;
  private static final int LEVELS_5 = 5;

  private final KernelPlace place;
  private final LinuxProgram program;
  private final Layouts layouts;

  OwnVmcoreinfo(KernelPlace place, LinuxProgram program, Layouts layouts) {
    this.place = place;
    this.program = program;
    this.layouts = layouts;
  }

  /** The text; empty when there is none and this architecture's cannot be put together. */
  Optional<byte[]> text() {
    var kept = kept();
    if (kept.isPresent()) {
      return kept;
    }
    if (place.vmcoreinfo().isPresent()) {
      var text = new StringBuilder();
      place.vmcoreinfo().get().values().forEach((key, value) -> line(text, key, value));
      return Optional.of(text.toString().getBytes(StandardCharsets.US_ASCII));
    }
    return place.space().mmu() instanceof PageTables tables
        ? Optional.of(made(tables.paging()))
        : Optional.empty();
  }

  /** {@code unsigned char *vmcoreinfo_data; size_t vmcoreinfo_size}, since 4.13. */
  private Optional<byte[]> kept() {
    var data = program.address("vmcoreinfo_data");
    var size = program.address("vmcoreinfo_size");
    if (data.isEmpty() || size.isEmpty()) {
      return Optional.empty();
    }
    try {
      var memory = program.memory();
      long length = memory.u64(size.getAsLong());
      if (length <= 0 || length > LIMIT) {
        return Optional.empty();
      }
      byte[] text = memory.bytes(memory.u64(data.getAsLong()), (int) length);
      var info = Vmcoreinfo.parse("vmcoreinfo_data", text);
      boolean right = info.isTrustworthy() && info.symbol("swapper_pg_dir").equals(rootTable());
      return right ? Optional.of(text) : Optional.empty();
    } catch (FathomException _) {
      return Optional.empty(); // Not in the dump, or no text: it is put together instead.
    }
  }

  /** {@code swapper_pg_dir}; on x86-64 a macro for {@code init_top_pgt}, since 4.13. */
  private OptionalLong rootTable() {
    var own = program.address("init_top_pgt");
    return own.isPresent() ? own : program.address("swapper_pg_dir");
  }

  /** {@code node_online_map} is a macro for {@code node_states[N_ONLINE]}. */
  private OptionalLong onlineNodes() {
    var states = program.address("node_states");
    var online = program.types().enumerator("node_states", "N_ONLINE");
    return states.isPresent() && online.isPresent() && nodeMask() > 0
        ? OptionalLong.of(states.getAsLong() + online.getAsLong() * nodeMask())
        : OptionalLong.empty();
  }

  /** The size of {@code nodemask_t}; 0 when it is not known. */
  private long nodeMask() {
    return program
        .types()
        .find(new TypeName(TypeName.Kind.PLAIN, "nodemask_t"))
        .map(CType::bytes)
        .orElse(0L);
  }

  /** What can be put together for an x86-64 kernel. */
  byte[] made(Paging paging) {
    var text = new StringBuilder();
    try {
      line(text, "OSRELEASE", release());
    } catch (FathomException _) {
      line(text, "OSRELEASE", "unknown"); // Its page is missing; the text must begin with the key.
    }
    line(text, "PAGESIZE", "4096");
    for (var name :
        new String[] {
          "init_uts_ns",
          "_stext",
          "vmap_area_list",
          "prb",
          "clear_seq",
          "init_top_pgt",
          "node_data",
          "kallsyms_names",
          "kallsyms_num_syms",
          "kallsyms_token_table",
          "kallsyms_token_index",
          "kallsyms_offsets",
          "kallsyms_relative_base"
        }) {
      symbol(text, name, program.address(name));
    }
    symbol(text, "swapper_pg_dir", rootTable());
    symbol(text, "node_online_map", onlineNodes());
    if (nodeMask() > 0) {
      line(text, "SIZE(nodemask_t)", "" + nodeMask());
    }
    boolean five = paging.levels() == LEVELS_5;
    sections(text, five);
    for (var type :
        new String[] {
          "page",
          "pglist_data",
          "zone",
          "free_area",
          "list_head",
          "printk_ringbuffer",
          "prb_desc_ring",
          "prb_desc",
          "prb_data_blk_lpos",
          "printk_info",
          "prb_data_ring"
        }) {
      layouts.size(type).ifPresent(bytes -> line(text, "SIZE(" + type + ")", "" + bytes));
    }
    offset(text, "uts_namespace", "name");
    for (var member :
        new String[] {
          "flags", "_refcount", "mapping", "lru", "_mapcount", "private", "compound_head"
        }) {
      offset(text, "page", member);
    }
    for (var member :
        new String[] {
          "node_zones", "nr_zones", "node_start_pfn", "node_spanned_pages", "node_id"
        }) {
      offset(text, "pglist_data", member);
    }
    offset(text, "zone", "free_area");
    offset(text, "zone", "vm_stat");
    offset(text, "zone", "spanned_pages");
    offset(text, "free_area", "free_list");
    offset(text, "list_head", "next");
    offset(text, "list_head", "prev");
    for (var flag :
        new String[] {
          "PG_lru", "PG_private", "PG_swapcache", "PG_swapbacked", "PG_slab", "PG_hwpoison"
        }) {
      number(text, flag, program.types().enumerator("pageflags", flag));
    }
    var head = program.types().enumerator("pageflags", "PG_head");
    if (head.isPresent()) {
      line(text, "NUMBER(PG_head_mask)", "" + (1L << head.getAsLong()));
    }
    line(text, "NUMBER(phys_base)", "" + KernelFinder.physBase(place));
    line(text, "NUMBER(pgtable_l5_enabled)", five ? "1" : "0");
    var start = program.address("_text");
    if (start.isPresent()) {
      line(text, "KERNELOFFSET", Long.toHexString(start.getAsLong() - KernelFinder.DEFAULT_TEXT));
    }
    line(text, "NUMBER(KERNEL_IMAGE_SIZE)", "1073741824");
    line(text, "NUMBER(sme_mask)", "" + paging.encryptionMask());
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private String release() {
    long name =
        program.needAddress("init_uts_ns")
            + layouts.find("uts_namespace", "name").map(Field::offset).orElse(0);
    return program.memory().cString(name + 2 * 65L, 65);
  }

  /** {@code mem_section} is a pointer with SPARSEMEM_EXTREME, and the pointer's value is noted. */
  private void sections(StringBuilder text, boolean five) {
    var address = program.address("mem_section");
    var size = layouts.size("mem_section");
    if (address.isEmpty() || size.isEmpty()) {
      return;
    }
    try {
      symbol(text, "mem_section", OptionalLong.of(program.memory().u64(address.getAsLong())));
    } catch (FathomException _) {
      return; // Its page is missing: nothing is noted.
    }
    int maxBits = five ? 52 : 46;
    int sectionBits = 27;
    int perRoot = 4096 / size.getAsInt();
    line(text, "LENGTH(mem_section)", "" + (1L << (maxBits - sectionBits)) / perRoot);
    line(text, "SIZE(mem_section)", "" + size.getAsInt());
    offset(text, "mem_section", "section_mem_map");
    line(text, "NUMBER(SECTION_SIZE_BITS)", "" + sectionBits);
    line(text, "NUMBER(MAX_PHYSMEM_BITS)", "" + maxBits);
  }

  private void offset(StringBuilder text, String type, String member) {
    layouts
        .find(type, member)
        .ifPresent(field -> line(text, "OFFSET(" + type + "." + member + ")", "" + field.offset()));
  }

  private static void symbol(StringBuilder text, String name, OptionalLong address) {
    if (address.isPresent()) {
      line(text, "SYMBOL(" + name + ")", Long.toHexString(address.getAsLong()));
    }
  }

  private static void number(StringBuilder text, String name, OptionalLong value) {
    if (value.isPresent()) {
      line(text, "NUMBER(" + name + ")", "" + value.getAsLong());
    }
  }

  private static void line(StringBuilder text, String key, String value) {
    text.append(key).append('=').append(value).append('\n');
  }
}
