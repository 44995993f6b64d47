/** Writers of the bytes that tests parse, the golden runner and the guest lab. */
package dev.fathom.testkit;
