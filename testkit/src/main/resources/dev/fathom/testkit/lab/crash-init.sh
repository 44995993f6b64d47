#!/bin/sh
# The first process of the kernel that kexec starts when a lab guest panics: writes dumps of the dead
# kernel to a file system on the second virtio disk, then all of them as tar to the third, and powers off.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read m; do insmod /lib/modules/$m || echo "LAB-WARN insmod $m"; done </lib/modules/order
echo LAB-CRASH-KERNEL
mkdir /mnt
mke2fs -F /dev/vdb >/dev/null 2>&1
mount -t ext4 /dev/vdb /mnt || mount -t ext2 /dev/vdb /mnt || echo LAB-FAILED mount
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
flavour raw-d31 $m -d 31 /proc/vmcore raw-d31
flavour lzo-d0 $m -l -d 0 /proc/vmcore lzo-d0
flavour elf-d31 $m -E -d 31 /proc/vmcore elf-d31
flavour split $m -l -d 31 --split /proc/vmcore split.0 split.1 split.2
$m -F -l -d 31 /proc/vmcore 2>/tmp/log >flat-lzo-d31 || { cat /tmp/log; echo "LAB-FAILED flat-lzo-d31"; }
$m -F -E -d 31 /proc/vmcore 2>/tmp/log >flat-elf-d31 || { cat /tmp/log; echo "LAB-FAILED flat-elf-d31"; }
dd if=/proc/vmcore of=vmcore bs=1M 2>/tmp/log || echo LAB-FAILED vmcore
cd /mnt
tar -cf - dumps | dd of=/dev/vdc bs=256k conv=fsync 2>/dev/null
echo LAB-CRASH-DONE
echo o >/proc/sysrq-trigger
sleep 30
