/**
 * How objects of C++ classes are shown as what they mean: a container's elements instead of its
 * pointers. Owns the interface that those who show them implement, and finds them with {@link
 * java.util.ServiceLoader}; objects of the target enter, {@link
 * dev.fathom.command.presenter.Presentation}s leave. May use {@code base} and {@code model}.
 */
package dev.fathom.command.presenter;
