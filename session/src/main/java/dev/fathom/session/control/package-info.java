/**
 * Run control: the table of breakpoints, the loop that lets the target run and decides at each stop
 * whether the user wants to know of it, steps that stay in their thread, calls of the target's
 * functions. Enters: a {@link dev.fathom.session.Session}; leaves: {@link
 * dev.fathom.session.control.StopEvent}s, as data. May use the kernel and the target; knows no
 * command and no language: conditions come as objects.
 */
package dev.fathom.session.control;
