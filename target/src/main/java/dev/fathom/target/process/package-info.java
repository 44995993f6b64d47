/**
 * A process of this host: looked at while it runs, and stopped, stepped and continued through
 * ptrace. Everything that must be asked from one thread is asked from one that this package owns.
 * {@code pid:N} enters, a {@link dev.fathom.target.Target} leaves. Uses {@code target.local} for
 * what {@code /proc} says and a {@link dev.fathom.target.ProcessTracer} for ptrace; no native code.
 */
package dev.fathom.target.process;
