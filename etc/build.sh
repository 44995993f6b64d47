# Shared by fathom, dev, test and bench/run: find the JDK, run Maven with it, make the distribution.
# Sourced; expects $home, the absolute path of this repository. Everything that it says goes to stderr.
# SPDX-License-Identifier: Apache-2.0

dist=$home/dist
main=dev.fathom.cli/dev.fathom.cli.Main

say() { printf 'fathom: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Sets jdk_runtime to the runtime version of the JDK in $1 when it is 25.0.3 or a later 25.
usable_jdk() {
  local line version=
  jdk_runtime=
  [[ -x $1/bin/javac && -r $1/release ]] || return 1
  while IFS= read -r line; do
    case $line in
      JAVA_VERSION=*) version=${line#*=}; version=${version//\"/} ;;
      JAVA_RUNTIME_VERSION=*) jdk_runtime=${line#*=}; jdk_runtime=${jdk_runtime//\"/} ;;
    esac
  done < "$1/release"
  jdk_runtime=${jdk_runtime:-$version}
  case $version in
    25.0.[012] | 25.0.[012].*) return 1 ;;
    25.*) return 0 ;;
    *) return 1 ;;
  esac
}

# Sets jdk (and jdk_runtime), or ends with what to do.
find_jdk() {
  local candidate java
  local candidates=("${JAVA_HOME:-}")
  if java=$(command -v java); then
    java=$(readlink -f -- "$java")
    candidates+=("${java%/bin/java}")
  fi
  candidates+=(/usr/lib/jvm/* /opt/java/* /opt/*jdk* /usr/local/*jdk* "${HOME:-/}"/.jdks/* "${HOME:-/}"/.sdkman/candidates/java/*)
  for candidate in "${candidates[@]}"; do
    if [[ -n $candidate ]] && usable_jdk "$candidate"; then
      jdk=$candidate
      return 0
    fi
  done
  fail "needs a JDK 25, 25.0.3 or later: none in JAVA_HOME, PATH, /usr/lib/jvm, /opt, ~/.jdks or ~/.sdkman." \
    "Install one, such as Eclipse Temurin 25 (https://adoptium.net), or set JAVA_HOME."
}

# Runs "apt-get install" for those of the packages that are missing; says the command when it cannot.
install_packages() {
  local package missing=() become=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    say "please install: ${missing[*]}"
    return 1
  fi
  if ((EUID != 0)); then
    if ! sudo -n true 2>/dev/null; then
      say "please run: sudo apt-get install ${missing[*]}"
      return 1
    fi
    become=(sudo -n)
  fi
  say "installing ${missing[*]}"
  "${become[@]}" apt-get -qq update >&2 || say "apt-get update failed; trying with the lists that are there"
  DEBIAN_FRONTEND=noninteractive "${become[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >&2
}

# Capstone comes as a package of npm's; it is fetched once (docs/decisions/0004-capstone.md).
install_npm() {
  local done=("$home"/capstone/.cache/*/complete)
  [[ -e ${done[0]} ]] || command -v npm >/dev/null || install_packages npm || say "going on without npm: the build will fail"
}

# Maven on JDK 25, because the formatter needs it; the build itself also runs with Maven on 17.
run_maven() {
  command -v mvn >/dev/null || fail "building needs Maven: sudo apt-get install maven"
  find_jdk
  install_npm
  (cd "$home" && JAVA_HOME=$jdk MAVEN_SKIP_RC=1 \
    MAVEN_OPTS="${MAVEN_OPTS:-} -Djansi.noreset=true --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED" mvn -B -Dstyle.color=never "$@")
}

# The JVM's command line without the AOT cache; $1 is the folder of the distribution.
java_command() {
  command=("$jdk/bin/java" "@$1/jvm.options" -p "$1/lib" -m "$main")
}

# Makes the AOT cache of the distribution in $dist from a run that touches what users touch: an interactive session over a
# made-up kernel's dump, on a terminal of its own where there is the means (script, of Debian's bsdutils), else one-shot; with
# a debug file of that kernel where there is gcc.
train() {
  local command log=$dist/train.log work line arguments=() debug=() guest i
  work=$(mktemp -d)
  java_command "$dist"
  rm -f "$dist/stamp" "$dist/fathom.aot"
  cp "$home/etc/jvm.options" "$dist"
  [[ ! -e $dist/libzstd-jni.so ]] || printf '"-DZstdNativePath=%s"\n' "$dist/libzstd-jni.so" >> "$dist/jvm.options"
  "${command[@]:0:${#command[@]}-1}" dev.fathom.testkit/dev.fathom.testkit.tiny.TinyLinux "$work/vmcore" "$work/types.c" "$work/id" >"$log" 2>&1 &&
    XDG_CACHE_HOME=$work "${command[@]}" open "$work/vmcore" -e ::ps >>"$log" 2>&1 || { cat "$log" >&2; fail "the first run of the program failed"; }
  if gcc -g -w -shared -nostdlib -fno-eliminate-unused-debug-types -Wl,--build-id=0x"$(< "$work/id")" "$work/types.c" -o "$work/vmlinux" 2>>"$log"
  then debug=(--then open "$work/vmcore" "$work/vmlinux" -e 'p init_task.comm' -e 'bt full'); fi
  "${command[@]:0:${#command[@]}-1}" dev.fathom.testkit/dev.fathom.testkit.tiny.TinyGuest 180 "$work/socket" >>"$log" 2>&1 &
  guest=$!
  for ((i = 0; i < 100; i++)); do [[ ! -s $work/socket ]] || break; sleep 0.1; done
  command=("${command[@]:0:2}" -XX:AOTCacheOutput="$dist/fathom.aot" "${command[@]:2:${#command[@]}-3}" "${main%Main}Training"
    attach "qmp:$(< "$work/socket")" -e ::ps -e ::stacks --then dump "$work/vmcore" -o "$work/copy" "${debug[@]}" --then open "$work/vmcore")
  if command -v script >/dev/null; then
    printf '%s\r' "${training_lines[@]}" ::quit |
      XDG_CACHE_HOME=$work XDG_STATE_HOME=$work timeout -k 5 120 script -qec "stty rows 500 cols 200; ${command[*]@Q}" /dev/null >>"$log" 2>&1 || true
  fi
  if [[ ! -s $dist/fathom.aot ]]; then
    for line in "${training_lines[@]}"; do arguments+=(-e "$line"); done
    XDG_CACHE_HOME=$work "${command[@]}" "${arguments[@]}" >>"$log" 2>&1 || { cat "$log" >&2; fail "the first run of the program failed"; }
  fi
  kill "$guest" 2>/dev/null || true
  wait "$guest" 2>/dev/null || true
  rm -rf "$work"
  printf '%s\n' "$jdk" "$jdk_runtime" "$dist" > "$dist/stamp"
}

# What train runs.
training_lines=(
  ::status ::ps '::walk thread | ::findstack -v' ::stacks ::cpuinfo ::msgbuf ::panicinfo ::modinfo
  'init_task::print struct task_struct comm pid' '::ps | ::print struct task_struct comm' 'init_task/KKs' '0t10=K'
  'panic::dis' '::pgrep init' ::ptree bt ps log sys mod 'p init_task.comm' 'struct list_head' 'sym panic' 'rd init_task'
)

# Builds the program and lays it out in dist/: lib/*.jar, libzstd-jni.so, jvm.options, fathom.aot, and stamp, which is written last.
make_distribution() {
  local next=$home/dist.next
  exec 8>"$home/.dist.lock"
  if ! flock -n 8; then
    say "waiting for another build"
    flock 8
    [[ ! -r $dist/stamp ]] || return 0
  fi
  run_maven -q -pl cli -am package -DskipTests -Dspotless.check.skip >&2 || fail "the build failed"
  rm -rf "$next"
  mkdir -p "$next/lib"
  cp "$home"/cli/build/lib/*.jar "$next/lib"
  cp "$home"/cli/build/cli-*.jar "$next/lib"
  "$jdk/bin/java" "$home/etc/dist/Modernise.java" "$next"/lib/picocli-*.jar || fail "cannot rewrite the argument parser's jar"
  "$jdk/bin/java" "$home/etc/dist/LeanZstd.java" "$next"/lib/zstd-jni-*.jar "$next/libzstd-jni.so" || fail "cannot rewrite zstd-jni's jar"
  rm -rf "$dist"
  mv "$next" "$dist"
  train
  flock -u 8
}
