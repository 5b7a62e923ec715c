;; Another plugin of the proxy: on every tick it writes a value into the shared data. Its configuration is the name, a line
;; break, and the value.
(module
  (import "env" "proxy_get_buffer_bytes" (func $get_buffer_bytes (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_shared_data" (func $set_shared_data (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_tick_period_milliseconds" (func $set_tick_period (param i32) (result i32)))
  (memory (export "memory") 16)
  (global $free (mut i32) (i32.const 1024))
  (global $name (mut i32) (i32.const 0))
  (global $name_size (mut i32) (i32.const 0))
  (global $size (mut i32) (i32.const 0))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $size))))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    (i32.const 1))
  (func (export "proxy_on_configure") (param i32) (param $size i32) (result i32)
    ;; Buffer 7 is the plugin's configuration.
    (drop (call $get_buffer_bytes (i32.const 7) (i32.const 0) (local.get $size) (i32.const 16) (i32.const 20)))
    (global.set $name (i32.load (i32.const 16)))
    (global.set $size (i32.load (i32.const 20)))
    (global.set $name_size (i32.const 0))
    (loop $next
      (if (i32.ne (i32.load8_u (i32.add (global.get $name) (global.get $name_size))) (i32.const 10))
        (then
          (global.set $name_size (i32.add (global.get $name_size) (i32.const 1)))
          (br $next))))
    (drop (call $set_tick_period (i32.const 5)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32)
    (drop (call $set_shared_data
      (global.get $name)
      (global.get $name_size)
      (i32.add (i32.add (global.get $name) (global.get $name_size)) (i32.const 1))
      (i32.sub (i32.sub (global.get $size) (global.get $name_size)) (i32.const 1))
      (i32.const 0)))))
