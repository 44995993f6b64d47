/** C expressions over a program. */
package dev.fathom.lang;
