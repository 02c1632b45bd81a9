-- Sends the bodies of the reference's post.lua, RATE of them a second, however long the answers take.
dofile("lua/post.lua")
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } instant; int clock_gettime(int clock, instant *now);")
local instant = ffi.new("instant")
local function now_ms()
  ffi.C.clock_gettime(1, instant)
  return tonumber(instant.seconds) * 1e3 + tonumber(instant.nanoseconds) / 1e6
end
local every_ms, due_ms = 1e3 / os.getenv("RATE"), now_ms()
delay = function()
  due_ms = due_ms + every_ms
  return math.max(0, math.floor(due_ms - now_ms()))
end
