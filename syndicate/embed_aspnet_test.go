package syndicate_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// aspnetHost shows one page of an ASP.NET application, as a server would: it
// has the control compiled and run.
const aspnetHost = `using System;
using System.IO;
using System.Web;
using System.Web.Hosting;

public class Host : MarshalByRefObject
{
    public string Show(string page)
    {
        var said = new StringWriter();
        HttpRuntime.ProcessRequest(new SimpleWorkerRequest(page, "", said));
        return said.ToString();
    }

    public static int Main(string[] args)
    {
        var host = (Host)ApplicationHost.CreateApplicationHost(typeof(Host), "/", args[0]);
        Console.Write(host.Show("page.aspx"));
        Console.Out.Flush();
        Environment.Exit(0); // the runtime's own threads would stay
        return 0;
    }
}
`

// aspnetAssemblies take the place of Mono's list, which names some that come
// with none of the packages asked for.
const aspnetAssemblies = `<add assembly="mscorlib" /><add assembly="System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089" />` +
	`<add assembly="System.Web, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a" /><add assembly="*" />`

// TestWebFormsSample compiles the Web Forms sample and runs it in Mono's
// ASP.NET, each time in a new process: its page holds the fragment, and the
// last good copy whatever the service does.
func TestWebFormsSample(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the short loop starts no other programs")
	}
	if os.Getenv("CI") != "" {
		t.Skip("Mono takes too long there: make samples runs it")
	}
	for _, program := range []string{"mono", "mcs"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs Mono: apt-get install mono-mcs libmono-system-web4.0-cil")
		}
	}
	s := newSite(t)
	s.fill()
	var mood atomic.Int32
	service := moody(t, s.server, &mood)
	host, root := aspnetApplication(t, service+"/embed/topics/kinh-te/fragment.html?count=2")
	show := func(m int32) string {
		t.Helper()
		mood.Store(m)
		out, err := exec.CommandContext(t.Context(), "mono", host, root).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if page := show(failing); !strings.Contains(page, "Tin đang được cập nhật.") {
		t.Fatalf("without a copy: %s", page)
	}
	good := show(well)
	if n := strings.Count(good, `<li class="diemtin-item"`); n != 2 || !strings.Contains(good, "<h1>Cổng thông tin</h1>") {
		t.Fatalf("the page shows %d stories, want 2:\n%s", n, good)
	}
	for _, m := range []int32{hanging, failing, cutOff} {
		if page := show(m); page != good {
			t.Errorf("service in mood %d: got %s, want the last good copy", m, page)
		}
	}
}

// aspnetApplication makes an application with the sample in it.
func aspnetApplication(t *testing.T, fragment string) (host, root string) {
	t.Helper()
	root = t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"DiemTin.ascx", "DiemTin.ascx.cs"} {
		text, err := os.ReadFile(samples + "aspnet-webforms/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(text))
	}
	write("App_Data/README", "the last good copy")
	write("web.config", `<configuration><system.web><compilation debug="false"><assemblies><clear />`+aspnetAssemblies+`</assemblies></compilation><customErrors mode="Off" /></system.web></configuration>`)
	write("page.aspx", `<%@ Page Language="C#" %><%@ Register Src="~/DiemTin.ascx" TagPrefix="dt" TagName="DiemTin" %>`+
		`<h1>Cổng thông tin</h1><dt:DiemTin runat="server" Address="`+fragment+`" />`)
	write("Host.cs", aspnetHost)
	host = filepath.Join(root, "bin", "Host.exe")
	if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mcs", "-r:System.Web", "-out:"+host, filepath.Join(root, "Host.cs")).CombinedOutput(); err != nil {
		t.Fatalf("compile the host: %v\n%s", err, out)
	}
	if err := os.Remove(filepath.Join(root, "Host.cs")); err != nil {
		t.Fatal(err)
	}
	return host, root
}
