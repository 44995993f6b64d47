#!/bin/sh
# The first process of the kernel that kexec starts when a lab guest panics. Copies the dead kernel's
# memory to the second virtio disk, writes dumps to a file system on the third, then all of those as
# tar to the fourth, and powers off.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read m; do insmod /lib/modules/$m || echo "LAB-WARN insmod $m"; done </lib/modules/order
echo "LAB-VMCORE $(stat -c %s /proc/vmcore) bytes"
dd if=/proc/vmcore of=/dev/vdb bs=1M conv=fsync 2>/tmp/log || echo LAB-FAILED vmcore
mkdir /mnt
mke2fs -F /dev/vdc >/dev/null 2>&1
mount -t ext4 /dev/vdc /mnt || mount -t ext2 /dev/vdc /mnt || echo LAB-FAILED mount
mkdir /mnt/dumps
cd /mnt/dumps
flavour() {
  n=$1
  shift
  "$@" >>/tmp/log 2>&1 || { cat /tmp/log; echo "LAB-FAILED $n"; }
}
m="makedumpfile --message-level 4"
flavour zlib-d31 $m -c -d 31 /proc/vmcore zlib-d31
flavour lzo-d31 $m -l -d 31 /proc/vmcore lzo-d31
flavour split $m -l -d 31 --split /proc/vmcore split.0 split.1 split.2
$m -F -l -d 31 /proc/vmcore 2>/tmp/log >flat-lzo-d31 || { cat /tmp/log; echo "LAB-FAILED flat-lzo-d31"; }
cd /mnt
tar -cf - dumps | dd of=/dev/vdd bs=256k conv=fsync 2>/dev/null
echo LAB-CRASH-DONE
echo o >/proc/sysrq-trigger
sleep 30
