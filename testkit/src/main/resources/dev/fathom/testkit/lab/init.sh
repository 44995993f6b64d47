#!/bin/sh
# The first process of a lab guest. Options come as lab.NAME=VALUE on the kernel's command line.
# Says LAB-READY when all is set up; the guest's own answers are then on the first virtio disk, as tar.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 0 >/proc/sys/kernel/kptr_restrict
echo 1 >/proc/sys/kernel/sysrq
read cmdline </proc/cmdline
arg() {
  for w in $cmdline; do case $w in lab.$1=*) echo "${w#*=}" ;; esac done
}
while read m; do insmod /lib/modules/$m || echo "LAB-WARN insmod $m"; done </lib/modules/order
sleeps=$(arg sleeps) threads=$(arg threads) spin=$(arg spin) fault=$(arg fault) crash=$(arg crash)

i=0
while [ $i -lt ${sleeps:-5} ]; do sleep 1000000 & i=$((i + 1)); done
threads ${threads:-3} &
tp=$!
[ -n "$spin" ] && threads 0 spin &
sh -c 'sleep 1000001 & sleep 1000002; true' &
mkfifo /fifo
cat /fifo >/dev/null &
usleep 300000

mkdir -p /facts/maps
cd /facts
uname -r >release
for f in cmdline version iomem cpuinfo modules kallsyms meminfo mounts interrupts vmallocinfo; do cat /proc/$f >$f; done
cat /sys/kernel/notes >notes
grep -H '' /sys/module/*/sections/.[a-z]* >module_sections
for p in 1 $tp; do cat /proc/$p/maps >maps/$p; done
usleep 200000
dmesg >dmesg
grep -h -E '^(Name|State|Tgid|Pid|PPid|VmRSS):' /proc/[0-9]*/task/*/status >tasks 2>/dev/null
grep -H '' /proc/[0-9]*/task/*/stack >stacks 2>/dev/null
tar -cf - -C / facts | dd of=/dev/vda bs=64k conv=fsync 2>/dev/null
cd /

if [ -n "$crash" ]; then
  kexec -p /crash/vmlinuz --initrd=/crash/initrd \
    --append="console=ttyS0,115200 maxcpus=1 reset_devices irqpoll no_timer_check loglevel=4 panic=-1 $(arg crashargs | tr , ' ')" || echo "LAB-FAILED kexec"
fi
echo LAB-READY
case "$fault" in
  sysrq) echo c >/proc/sysrq-trigger ;;
  module) insmod /lib/fathom_fault.ko || { dmesg | tail; echo LAB-FAILED insmod; } ;;
esac
while :; do read line; done
