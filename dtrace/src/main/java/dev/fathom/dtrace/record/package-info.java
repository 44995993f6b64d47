/**
 * What passes from the probe side to the consumer while a program runs. An engine calls a {@link
 * dev.fathom.dtrace.record.RecordSink}; the consumer implements it. A {@link
 * dev.fathom.dtrace.record.Firing} names an enabled probe by its epid (the plan in {@code
 * dtrace.probe} says which probe and clause that is) and carries values for the clause's actions in
 * the order in which they are to be carried out; aggregations are fed by {@link
 * dev.fathom.dtrace.record.RecordSink#aggregate} or, by engines that aggregate themselves, {@link
 * dev.fathom.dtrace.record.RecordSink#merge}. May use base and {@code dtrace.ir}.
 */
package dev.fathom.dtrace.record;
