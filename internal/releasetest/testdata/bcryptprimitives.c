// The one function of Windows' bcryptprimitives.dll that Go needs, for Wine before 8.21, which has no such library. For tests alone.
#include <windows.h>

#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T n) { return RtlGenRandom(data, (ULONG)n); }
