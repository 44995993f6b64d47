/**
 * From D text to a syntax tree. {@link dev.fathom.dtrace.syntax.Parser} is the way in; every node
 * has its span in the text. Macro arguments ({@code $1}, {@code $target}) are replaced while
 * reading, as D defines. May use base.
 */
package dev.fathom.dtrace.syntax;
