/* What stands for a process where the kernel below it is out of sight: that on the CPU alone. */
translator psinfo_t < int P > {
  pr_pid = pid;
  pr_ppid = ppid;
  pr_fname = execname;
  pr_psargs = execargs;
  pr_dmodel = PR_MODEL_LP64;
};
inline psinfo_t *curpsinfo = xlate <psinfo_t *> (0);
translator lwpsinfo_t < int T > {
  pr_lwpid = tid;
  pr_name = execname;
};
inline lwpsinfo_t *curlwpsinfo = xlate <lwpsinfo_t *> (0);
