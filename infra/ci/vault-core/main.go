// A real Vault core for contract tests: KV v2 and JWT auth over Vault's own HTTP API, in memory, unsealed, on 127.0.0.1.
// When it listens it prints one line of JSON, {"url", "unsealKey"}; it ends on SIGINT or SIGTERM and leaves nothing behind.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	jwtauth "github.com/hashicorp/vault-plugin-auth-jwt"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/helper/namespace"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// builtins is what the core asks for the plugins that are compiled in.
type builtins map[consts.PluginType]map[string]logical.Factory

func (b builtins) Contains(name string, kind consts.PluginType) bool {
	return b[kind][name] != nil
}

func (b builtins) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory, known := b[kind][name]
	return func() (interface{}, error) { return factory, nil }, known
}

func (b builtins) Keys(kind consts.PluginType) []string {
	names := []string{}
	for name := range b[kind] {
		names = append(names, name)
	}
	return names
}

func (b builtins) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

func (b builtins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func start(port int, rootToken string) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	log := hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Error})
	storage, err := inmem.NewInmem(nil, log)
	if err != nil {
		return err
	}
	secrets := map[string]logical.Factory{"kv": kv.Factory}
	logins := map[string]logical.Factory{"jwt": jwtauth.Factory}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		LogicalBackends:    secrets,
		CredentialBackends: logins,
		BuiltinRegistry:    builtins{consts.PluginTypeSecrets: secrets, consts.PluginTypeCredential: logins},
		DisableMlock:       true,
		RedirectAddr:       url,
		Logger:             log,
	})
	if err != nil {
		return err
	}
	ctx := namespace.RootContext(context.Background())
	made, err := core.Initialize(ctx, &vault.InitParams{BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}})
	if err != nil {
		return err
	}
	unsealKey := hex.EncodeToString(made.SecretShares[0]) // before Unseal, which may wipe it
	if unsealed, err := core.Unseal(made.SecretShares[0]); err != nil || !unsealed {
		return fmt.Errorf("the core does not unseal: %w", err)
	}
	answer, err := core.HandleRequest(ctx, &logical.Request{
		Operation:   logical.UpdateOperation,
		Path:        "auth/token/create",
		ClientToken: made.RootToken,
		Data:        map[string]interface{}{"id": rootToken, "policies": []string{"root"}, "no_parent": true},
	})
	if err != nil {
		return err
	}
	if answer.IsError() {
		return answer.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": url, "unsealKey": unsealKey}); err != nil {
		return err
	}
	server := &http.Server{
		Handler:           vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{}}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	return server.Serve(listener)
}

func main() {
	port := flag.Int("port", 0, "port on 127.0.0.1; 0 takes a free one")
	flag.Parse()
	rootToken := os.Getenv("VAULT_CORE_ROOT_TOKEN")
	if rootToken == "" {
		fmt.Fprintln(os.Stderr, "vault-core: VAULT_CORE_ROOT_TOKEN is missing")
		os.Exit(2)
	}
	if err := start(*port, rootToken); err != nil {
		fmt.Fprintln(os.Stderr, "vault-core:", err)
		os.Exit(1)
	}
}
