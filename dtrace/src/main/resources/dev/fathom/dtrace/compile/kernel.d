/*
 * Processes, files and block devices by the kernel's structures. A member that is given twice is
 * that of the first which this kernel has.
 */
translator psinfo_t < struct task_struct *T > {
  pr_nlwp = T->signal->nr_threads;
  pr_pid = T->tgid;
  pr_ppid = T->real_parent->tgid;
  pr_pgid = T->signal->pids[PIDTYPE_PGID]->numbers[0].nr;
  pr_sid = T->signal->pids[PIDTYPE_SID]->numbers[0].nr;
  pr_uid = T->cred->uid.val;
  pr_euid = T->cred->euid.val;
  pr_gid = T->cred->gid.val;
  pr_egid = T->cred->egid.val;
  pr_addr = (uintptr_t)T;
  pr_ttydev = T->signal->tty == NULL ? (uintptr_t)-1 : (uintptr_t)T->signal->tty;
  pr_fname = T->comm;
  pr_psargs = __arguments(T);
  pr_wstat = T->exit_code;
  pr_dmodel = PR_MODEL_LP64;
  pr_taskid = 0;
  pr_projid = 0;
  pr_nzomb = 0;
  pr_poolid = 0;
  pr_zoneid = 0;
  pr_contract = 0;
};
inline psinfo_t *curpsinfo = xlate <psinfo_t *> (curthread);
/* States as include/linux/sched.h numbers them; __state since 5.14. */
translator lwpsinfo_t < struct task_struct *T > {
  pr_flag = (T->__state & 4) != 0 ? PR_STOPPED : 0;
  pr_flag = (T->state & 4) != 0 ? PR_STOPPED : 0;
  pr_lwpid = T->pid;
  pr_addr = (uintptr_t)T;
  pr_wchan = 0;
  pr_stype = 0;
  pr_state = T->exit_state != 0 ? SZOMB : (T->__state & 3) != 0 ? SSLEEP :
      (T->__state & 0xc) != 0 ? SSTOP : SRUN;
  pr_state = T->exit_state != 0 ? SZOMB : (T->state & 3) != 0 ? SSLEEP :
      (T->state & 0xc) != 0 ? SSTOP : SRUN;
  pr_sname = T->exit_state != 0 ? 'Z' : (T->__state & 3) != 0 ? 'S' :
      (T->__state & 0xc) != 0 ? 'T' : 'R';
  pr_sname = T->exit_state != 0 ? 'Z' : (T->state & 3) != 0 ? 'S' :
      (T->state & 0xc) != 0 ? 'T' : 'R';
  pr_pri = T->prio;
  pr_nice = (char)(T->static_prio - 120);
  pr_name = T->comm;
  pr_onpro = T->thread_info.cpu;
  pr_onpro = T->cpu;
};
inline lwpsinfo_t *curlwpsinfo = xlate <lwpsinfo_t *> (curthread);
translator fileinfo_t < struct file *F > {
  fi_name = F == NULL ? "<none>" : stringof(F->f_path.dentry->d_name.name);
  fi_dirname = F == NULL ? "<none>" : dirname(d_path(&F->f_path));
  fi_pathname = F == NULL ? "<none>" : d_path(&F->f_path);
  fi_offset = F == NULL ? 0 : F->f_pos;
  fi_fs = F == NULL ? "<none>" : stringof(F->f_path.mnt->mnt_sb->s_type->name);
  fi_mount = "<unknown>";
  fi_oflags = F == NULL ? 0 : (int)F->f_flags;
};
/*
 * Requests to block devices (include/linux/blk_types.h). Bit 0 of the operation: it writes. 6:
 * REQ_OP_WRITE_SAME and later ones with bit 0 write as well. REQ_SYNC is bit 11.
 */
translator bufinfo_t < struct bio *B > {
  b_flags = ((B->bi_opf & 1) != 0 ? B_WRITE : B_READ) | ((B->bi_opf & 0x800) != 0 ? 0 : B_ASYNC) |
      (__page_text(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page, 0) == "<none>" ? B_PHYS :
       B_PAGEIO) | (B->bi_status != 0 ? B_ERROR : 0);
  b_bcount = B->bi_iter.bi_size;
  b_addr = NULL;
  b_lblkno = B->bi_iter.bi_sector;
  b_blkno = B->bi_iter.bi_sector;
  b_resid = 0;
  b_bufsize = B->bi_iter.bi_size;
  b_iodone = (char *)B->bi_end_io;
  b_error = B->bi_status == 0 ? 0 : B->bi_status == 1 ? EOPNOTSUPP : B->bi_status == 2 ? ETIMEDOUT :
      B->bi_status == 3 ? ENOSPC : B->bi_status == 4 ? ENOLINK : B->bi_status == 5 ? EREMOTEIO :
      B->bi_status == 6 ? EBADE : B->bi_status == 7 ? ENODATA : B->bi_status == 8 ? EILSEQ :
      B->bi_status == 9 ? ENOMEM : EIO;
  b_edev = B->bi_bdev == NULL ? 0 : B->bi_bdev->bd_dev;
  b_edev = B->bi_disk == NULL ? 0 : (B->bi_disk->major << 20 | B->bi_disk->first_minor + B->bi_partno);
};
/* bi_bdev since 5.12, bi_disk and bi_partno before. */
translator devinfo_t < struct bio *B > {
  dev_major = B->bi_bdev == NULL ? 0 : getmajor(B->bi_bdev->bd_dev);
  dev_major = B->bi_disk == NULL ? 0 : B->bi_disk->major;
  dev_minor = B->bi_bdev == NULL ? 0 : getminor(B->bi_bdev->bd_dev);
  dev_minor = B->bi_disk == NULL ? 0 : B->bi_disk->first_minor + B->bi_partno;
  dev_instance = 0;
  dev_name = B->bi_bdev == NULL || B->bi_bdev->bd_disk->part0->bd_device.parent == NULL ||
      B->bi_bdev->bd_disk->part0->bd_device.parent->driver == NULL ? "<none>" :
      stringof(B->bi_bdev->bd_disk->part0->bd_device.parent->driver->name);
  dev_name = "<unknown>";
  dev_statname = B->bi_bdev == NULL ? "<none>" : stringof(B->bi_bdev->bd_device.kobj.name);
  dev_statname = B->bi_disk == NULL ? "<none>" : B->bi_partno == 0 ? B->bi_disk->disk_name :
      strjoin(B->bi_disk->disk_name, lltostr(B->bi_partno));
  dev_pathname = B->bi_bdev == NULL ? "<none>" :
      strjoin("/dev/", stringof(B->bi_bdev->bd_device.kobj.name));
  dev_pathname = B->bi_disk == NULL ? "<none>" : strjoin("/dev/", B->bi_partno == 0 ?
      B->bi_disk->disk_name : strjoin(B->bi_disk->disk_name, lltostr(B->bi_partno)));
};
/* The file whose page is the first that is read or written. */
translator fileinfo_t < struct bio *B > {
  fi_name = basename(__page_text(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page, 0));
  fi_dirname = __page_text(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page, 0) == "<none>" ?
      "<none>" : dirname(__page_text(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page, 0));
  fi_pathname = __page_text(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page, 0);
  fi_offset = __page_offset(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page);
  fi_fs = __page_text(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page, 1);
  fi_mount = __page_text(B->bi_io_vec == NULL ? NULL : B->bi_io_vec->bv_page, 2);
  fi_oflags = 0;
};
