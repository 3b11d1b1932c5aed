#if Download
import AsyncHTTPClient
#endif
