// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import java.util.Optional;

/**
 * The types of the kernel's variables. BTF describes per-CPU variables only (bpf, {@code pahole -J}
 * before 1.28), so the types of those that Fathom's users and this model ask for are stated here,
 * as the kernel declares them.
 */
final class Globals {
  private Globals() {}

  /** The declared type of a variable; {@code T []} is an array as long as its symbol. */
  static Optional<String> typeOf(String name) {
    return Optional.ofNullable(
        switch (name) {
          case "init_task" -> "struct task_struct";
          case "init_mm" -> "struct mm_struct";
          case "init_cred" -> "struct cred";
          case "init_nsproxy" -> "struct nsproxy";
          case "init_user_ns" -> "struct user_namespace";
          case "init_pid_ns" -> "struct pid_namespace";
          case "init_uts_ns" -> "struct uts_namespace";
          case "init_ipc_ns" -> "struct ipc_namespace";
          case "init_net" -> "struct net";
          case "init_fs" -> "struct fs_struct";
          case "init_files" -> "struct files_struct";
          case "init_signals" -> "struct signal_struct";
          case "init_sighand" -> "struct sighand_struct";
          case "init_css_set" -> "struct css_set";
          case "cgrp_dfl_root" -> "struct cgroup_root";
          case "root_mem_cgroup" -> "struct mem_cgroup *";
          case "root_task_group" -> "struct task_group";
          case "root_user" -> "struct user_struct";
          case "runqueues" -> "struct rq";
          case "current_task" -> "struct task_struct *";
          case "pcpu_hot" -> "struct pcpu_hot";
          case "cpu_info" -> "struct cpuinfo_x86";
          case "boot_cpu_data" -> "struct cpuinfo_x86";
          case "cpu_tss_rw" -> "struct tss_struct";
          case "cpu_tlbstate" -> "struct tlb_state";
          case "kernel_cpustat" -> "struct kernel_cpustat";
          case "kstat" -> "struct kernel_stat";
          case "hrtimer_bases" -> "struct hrtimer_cpu_base";
          case "softnet_data" -> "struct softnet_data";
          case "idt_table" -> "gate_desc []";
          case "irq_desc" -> "struct irq_desc []";
          case "irq_desc_tree" -> "struct radix_tree_root";
          case "sparse_irqs" -> "struct maple_tree";
          case "irq_default_domain" -> "struct irq_domain *";
          case "softirq_vec" -> "struct softirq_action []";
          case "sys_call_table", "ia32_sys_call_table", "x32_sys_call_table" -> "void * []";
          case "modules", "btf_modules", "slab_caches", "super_blocks", "vmap_area_list" ->
              "struct list_head";
          case "free_vmap_area_list",
              "workqueues",
              "all_bdevs",
              "cgroup_roots",
              "net_namespace_list" ->
              "struct list_head";
          case "pci_root_buses", "pci_devices", "dev_base_head", "ptype_all" -> "struct list_head";
          case "tty_drivers", "misc_list", "crypto_alg_list", "cpuhp_state_list" ->
              "struct list_head";
          case "shrinker_list", "clocksource_list", "clockevent_devices", "audit_filter_list" ->
              "struct list_head";
          case "console_list" -> "struct hlist_head";
          case "vmap_area_root", "free_vmap_area_root" -> "struct rb_root";
          case "vmlist" -> "struct vm_struct *";
          case "vmap_nodes" -> "struct vmap_node *";
          case "nr_vmap_nodes" -> "int";
          case "map_idr", "prog_idr", "btf_idr", "link_idr" -> "struct idr";
          case "jiffies", "jiffies_64" -> "long unsigned int";
          case "tick_period" -> "long int";
          case "loops_per_jiffy", "preset_lpj" -> "long unsigned int";
          case "avenrun" -> "long unsigned int []";
          case "linux_banner", "linux_proc_banner", "boot_command_line", "command_line" ->
              "char []";
          case "saved_command_line", "static_command_line", "initcall_command_line" -> "char *";
          case "modprobe_path", "core_pattern", "vmcoreinfo_note", "static_log_buf" -> "char []";
          case "vmcoreinfo_data" -> "unsigned char *";
          case "vmcoreinfo_size" -> "long unsigned int";
          case "crash_notes" -> "note_buf_t *";
          case "crashing_cpu", "panic_timeout", "oops_in_progress", "panic_on_oops" -> "int";
          case "panic_on_warn", "sysctl_panic_on_stackoverflow", "kptr_restrict" -> "int";
          case "crash_kexec_post_notifiers" -> "bool";
          case "panic_cpu", "system_freezing_cnt" -> "atomic_t";
          case "die_counter", "die_nest_count", "die_owner" -> "int";
          case "tainted_mask" -> "long unsigned int";
          case "panic_notifier_list" -> "struct atomic_notifier_head";
          case "kexec_crash_image", "kexec_image" -> "struct kimage *";
          case "crashk_res", "crashk_low_res", "iomem_resource", "ioport_resource" ->
              "struct resource";
          case "__cpu_possible_mask", "__cpu_online_mask", "__cpu_present_mask" -> "struct cpumask";
          case "__cpu_active_mask", "__cpu_dying_mask" -> "struct cpumask";
          case "nr_cpu_ids", "setup_max_cpus" -> "unsigned int";
          case "__per_cpu_offset" -> "long unsigned int []";
          case "pcpu_base_addr" -> "void *";
          case "pcpu_unit_size" -> "int";
          case "swapper_pg_dir", "init_top_pgt" -> "pgd_t []";
          case "level3_kernel_pgt" -> "pud_t []";
          case "level2_kernel_pgt", "level2_fixmap_pgt" -> "pmd_t []";
          case "phys_base", "page_offset_base", "vmalloc_base", "vmemmap_base" ->
              "long unsigned int";
          case "sme_me_mask", "physical_mask" -> "long unsigned int";
          case "__pgtable_l5_enabled", "pgdir_shift", "ptrs_per_p4d" -> "unsigned int";
          case "max_pfn", "max_low_pfn", "min_low_pfn", "max_mapnr", "max_possible_pfn" ->
              "long unsigned int";
          case "high_memory" -> "void *";
          case "mem_map" -> "struct page *";
          case "mem_section" -> "struct mem_section **";
          case "node_data" -> "struct pglist_data * []";
          case "contig_page_data" -> "struct pglist_data";
          case "vm_node_stat", "vm_zone_stat" -> "atomic_long_t []";
          case "totalreserve_pages" -> "long unsigned int";
          case "_totalram_pages" -> "atomic_long_t";
          case "vm_committed_as" -> "struct percpu_counter";
          case "swapper_spaces" -> "struct address_space * []";
          case "swap_info" -> "struct swap_info_struct * []";
          case "kmalloc_caches" -> "struct kmem_cache * []";
          case "kmem_cache", "task_struct_cachep", "dentry_cache", "names_cachep" ->
              "struct kmem_cache *";
          case "filp_cachep", "files_cachep", "vm_area_cachep", "fs_cachep" ->
              "struct kmem_cache *";
          case "file_systems" -> "struct file_system_type *";
          case "dentry_hashtable" -> "struct hlist_bl_head *";
          case "inode_hashtable", "mount_hashtable", "mountpoint_hashtable" ->
              "struct hlist_head *";
          case "d_hash_shift", "i_hash_mask", "m_hash_mask" -> "unsigned int";
          case "rootfs_mnt" -> "struct vfsmount *";
          case "chrdevs" -> "struct char_device_struct * []";
          case "major_names" -> "struct blk_major_name * []";
          case "log_buf" -> "char *";
          case "log_buf_len", "log_first_idx", "log_next_idx", "__log_buf_len" -> "unsigned int";
          case "prb" -> "struct printk_ringbuffer *";
          case "printk_rb_static", "printk_rb_dynamic" -> "struct printk_ringbuffer";
          case "console_drivers" -> "struct console *";
          case "console_printk" -> "int []";
          case "console_sem" -> "struct semaphore";
          case "timekeeper" -> "struct timekeeper";
          case "jiffies_lock" -> "raw_spinlock_t";
          case "tasklist_lock" -> "rwlock_t";
          case "rcu_state" -> "struct rcu_state";
          case "rcu_data" -> "struct rcu_data";
          case "bus_kset", "class_kset", "devices_kset", "module_kset" -> "struct kset *";
          case "kernel_kobj", "firmware_kobj", "power_kobj", "dev_kobj" -> "struct kobject *";
          case "platform_bus" -> "struct device";
          case "platform_bus_type", "pci_bus_type" -> "struct bus_type";
          case "debug_locks", "system_state", "nr_threads", "max_threads", "total_forks" -> "int";
          case "selinux_state" -> "struct selinux_state";
          case "efi" -> "struct efi";
          case "boot_params" -> "struct boot_params";
          case "x86_platform" -> "struct x86_platform_ops";
          case "pv_ops" -> "struct paravirt_patch_template";
          case "tcp_hashinfo" -> "struct inet_hashinfo";
          case "udp_table" -> "struct udp_table";
          default -> null;
        });
  }
}
