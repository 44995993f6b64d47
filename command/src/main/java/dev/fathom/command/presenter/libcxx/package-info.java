/**
 * Presenters of LLVM's C++ library, libc++, whose names are in {@code std::__1}: they show its
 * classes in the words in which those of libstdc++ are shown. Layouts are those of LLVM 14 with its
 * stable ABI, whose compressed pairs LLVM 20 replaced by plain members. May use the presenter
 * package.
 */
package dev.fathom.command.presenter.libcxx;
