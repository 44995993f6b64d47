/**
 * Presenters of GNU's C++ library, libstdc++: its containers, strings, smart pointers and what else
 * of it hides its value. Layouts are those of gcc 5 to 14; strings also of the older ABI. Members
 * are asked for by name, so that another library's classes of the same name are shown as they are
 * stored. May use the presenter package.
 */
package dev.fathom.command.presenter.stdcxx;
