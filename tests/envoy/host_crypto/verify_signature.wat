;; A plugin that calls Envoy's `verify_signature` with the body of a request, and replies with what it answered: 200, or 500 if the
;; call failed.
(module
  (import "env" "proxy_get_buffer_bytes" (func $get_buffer_bytes (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_call_foreign_function" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (data (i32.const 64) "verify_signature")
  (global $free (mut i32) (i32.const 1024))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $size))))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (i32.const 1))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (i32.const 1))
  (func (export "proxy_on_request_body") (param i32) (param $size i32) (param $is_end i32) (result i32)
    (if (local.get $is_end)
      (then
        (global.set $free (i32.const 1024))
        ;; Buffer 0 is the body of the request.
        (drop (call $get_buffer_bytes (i32.const 0) (i32.const 0) (local.get $size) (i32.const 16) (i32.const 20)))
        (i32.store (i32.const 24) (i32.const 0))
        (i32.store (i32.const 28) (i32.const 0))
        (drop (call $reply
          (select (i32.const 500) (i32.const 200) (call $call
            (i32.const 64) (i32.const 16)
            (i32.load (i32.const 16)) (i32.load (i32.const 20))
            (i32.const 24) (i32.const 28)))
          (i32.const 0) (i32.const 0)
          (i32.load (i32.const 24)) (i32.load (i32.const 28))
          (i32.const 0) (i32.const 0) (i32.const -1)))))
    (i32.const 1)))
