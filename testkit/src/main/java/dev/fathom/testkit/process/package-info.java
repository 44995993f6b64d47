/** C programs compiled while tests run, and processes of them to be traced. */
package dev.fathom.testkit.process;
